"""The snapshot store: always the newest whole snapshot, followed without a restart."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

from indexes.errors import IndexesError
from indexes.publishing import current_generation, open_current
from indexes.snapshot import Snapshot

log = logging.getLogger(__name__)


class SnapshotStore:
    """Hands out the current snapshot; a caller keeps the one it got for as long as its answer takes.

    CURRENT is read at most every `interval` seconds. A new snapshot that cannot be opened is refused: the
    one that serves stays, and `problem` says why until a whole one appears.
    """

    def __init__(self, root: Path, interval: float = 0.5) -> None:
        self._root = root
        self._embedder: str | None = None
        self._interval = interval
        self._lock = threading.Lock()
        self._snapshot = self._open()
        self._looked = time.monotonic()
        self._refused = ""
        self.problem: str | None = None

    def current(self) -> Snapshot:
        """The snapshot to answer from now."""
        if time.monotonic() - self._looked >= self._interval and self._lock.acquire(blocking=False):
            try:
                self._follow()
            finally:
                self._looked = time.monotonic()
                self._lock.release()
        return self._snapshot

    def require_embedder(self, embedder: str) -> None:
        """Serve only snapshots whose vectors `embedder` made. Raises SnapshotIncompatible for the current one."""
        self._snapshot.require_embedder(embedder)
        self._embedder = embedder

    def _follow(self) -> None:
        generation = current_generation(self._root)
        if generation is None or generation == self._snapshot.generation:
            self.problem, self._refused = None, ""
            return
        if generation == self._refused:
            return
        try:
            self._snapshot = self._open()
            self.problem = None
            log.info("serving snapshot %s", generation)
        except IndexesError as error:
            self._refused, self.problem = generation, str(error)
            log.error("snapshot %s refused: %s", generation, error)

    def _open(self) -> Snapshot:
        snapshot = open_current(self._root)
        if self._embedder is not None:
            snapshot.require_embedder(self._embedder)
        return snapshot
