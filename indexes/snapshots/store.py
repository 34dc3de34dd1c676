"""The snapshot store: always the newest whole snapshot, followed without a restart."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import TypeAlias

from indexes.errors import IndexesError, SnapshotDamaged
from indexes.snapshots.ingest_log import IngestRecord, past
from indexes.snapshots.opening import open_whole, until_then
from indexes.snapshots.publishing import open_current
from indexes.snapshots.snapshot import CURRENT, Snapshot, verify
from indexes.types import Viewer

log = logging.getLogger(__name__)

_RETRY = 30.0  # seconds until a snapshot that could not be opened is tried again: it may have been restored

_CHECK = 3600.0  # seconds until the files of the served snapshot are hashed again

_Mark: TypeAlias = tuple[int, int] | None


class SnapshotStore:
    """Hands out the current snapshot; a caller keeps the one it got for as long as its answer takes.

    At the start, a damaged snapshot is passed over for the whole one before it. CURRENT is looked at every `interval`
    seconds; a new snapshot that cannot be opened is refused and the one that serves stays. In both cases `problem`
    says why until a whole one appears.
    """

    def __init__(self, root: Path, interval: float = 0.5, retry: float = _RETRY) -> None:
        self._root = root
        self._embedder: str | None = None
        self._interval = interval
        self._retry = retry
        self._lock = threading.Lock()
        self._mark = _mark(root)  # before it is opened: what is published meanwhile is seen by the next look
        opened = open_whole(root)
        self._snapshot = opened.snapshot
        self.problem: str | None = None
        if opened.problem:
            self._tell(opened.problem)
        self._looked = self._tried = time.monotonic()

    def current(self) -> Snapshot:
        """The whole snapshot that is served now, whoever asks."""
        if time.monotonic() - self._looked >= self._interval:
            self._look()
        return self._snapshot

    def seen_by(self, viewer: Viewer) -> Snapshot:
        """The snapshot to answer this reader from now: what they may not read is not in it."""
        return self.current().seen_by(viewer)

    def keep_looking(self) -> None:
        """Look from a thread of its own from now on, so that no question waits while a large snapshot is opened."""
        threading.Thread(target=self._look_for_ever, name="snapshots", daemon=True).start()

    def past_ingests(self, limit: int) -> list[IngestRecord]:
        """The last ingests, newest first."""
        return past(self._root, limit)

    def require_embedder(self, embedder: str) -> None:
        """Serve only snapshots whose vectors `embedder` made. Raises SnapshotIncompatible for the current one."""
        self._snapshot.require_embedder(embedder)
        self._embedder = embedder

    def check(self) -> None:
        """Hash the files that are being served: what has rotted since they were opened is passed over too."""
        with self._lock:
            try:
                verify(self._snapshot.path, self._snapshot.manifest)
            except SnapshotDamaged as error:
                self._replace(error)

    def _replace(self, damage: SnapshotDamaged) -> None:
        try:
            opened = open_whole(self._root)
            if self._embedder is not None:
                opened.snapshot.require_embedder(self._embedder)
        except IndexesError as error:
            self._tell(f"{damage} It is still served, because no other can be: {error}")
            return
        self._snapshot, self._tried = opened.snapshot, time.monotonic()
        self.problem = None
        if opened.problem:
            self._tell(opened.problem)

    def _look_for_ever(self) -> None:
        checked = time.monotonic()
        while True:
            time.sleep(self._interval / 2)  # twice as often as a question would, so that none does
            self._look()
            if time.monotonic() - checked >= _CHECK:
                self.check()
                checked = time.monotonic()

    def _look(self) -> None:
        if self._lock.acquire(blocking=False):
            try:
                self._follow()
            finally:
                self._looked = time.monotonic()
                self._lock.release()

    def _follow(self) -> None:
        mark = _mark(self._root)
        if mark == self._mark and not self._may_retry():
            return
        self._mark, self._tried = mark, time.monotonic()
        try:
            snapshot = self._open()
        except (IndexesError, OSError) as error:
            self._tell(until_then(error, self._snapshot))
            return
        self.problem = None
        if snapshot.manifest != self._snapshot.manifest:
            self._snapshot = snapshot
            log.info("serving snapshot %s", snapshot.generation)

    def _open(self) -> Snapshot:
        snapshot = open_current(self._root)
        if self._embedder is not None:
            snapshot.require_embedder(self._embedder)
        return snapshot

    def _may_retry(self) -> bool:
        return self.problem is not None and time.monotonic() - self._tried >= self._retry

    def _tell(self, problem: str) -> None:
        if problem != self.problem:
            log.error("%s", problem)
        self.problem = problem


def _mark(root: Path) -> _Mark:
    """What changes whenever CURRENT is replaced, even by a generation of the same number in an index made anew."""
    try:
        stat = (root / CURRENT).stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_mtime_ns
