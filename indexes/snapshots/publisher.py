"""The index as an ingest writes it: held by one writer, compared with what it holds, published, tidied."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from indexes.errors import SnapshotDamaged, SnapshotIncompatible, SnapshotMissing, SnapshotTooNew
from indexes.snapshots.drafting import Draft
from indexes.snapshots.ingest_log import IngestRecord, remember
from indexes.snapshots.opening import open_whole
from indexes.snapshots.publishing import publish, tidy, writing
from indexes.snapshots.snapshot import Manifest, Snapshot


class SnapshotPublisher:
    """Publishes to the index at `root`, of which the newest `keep` snapshots stay."""

    def __init__(self, root: Path, keep: int) -> None:
        self._root = root
        self._keep = keep

    @property
    def workspace(self) -> Path:
        """A folder for what an ingest puts aside until it is published."""
        return self._root

    @contextmanager
    def writing(self) -> Iterator[SnapshotWriter]:
        """Hold the index's write lock. Raises IndexBusy, or SnapshotTooNew: a newer format is never overwritten."""
        with writing(self._root):
            yield SnapshotWriter(self._root, self._keep)


class SnapshotWriter:
    """The index while its write lock is held."""

    def __init__(self, root: Path, keep: int) -> None:
        self._root = root
        self._keep = keep
        self._damaged: tuple[str, ...] = ()
        self.previous: Snapshot | None = None
        self.notes: tuple[str, ...] = ()  # why the index must be written anew even if nothing has changed
        self._read()

    def publish(self, draft: Draft) -> Manifest:
        """Make `draft` the current snapshot in one step. Raises SnapshotNotWritten."""
        return publish(self._root, draft, self._keep, self.previous, self._damaged)

    def finish(self, record: IngestRecord) -> None:
        """Note what the ingest did, and remove snapshots that are kept no longer."""
        tidy(self._root, self._keep)
        remember(self._root, record)

    def _read(self) -> None:
        """Open the current snapshot or, where it is damaged, the whole one before it."""
        try:
            opened = open_whole(self._root)
        except SnapshotMissing:
            return
        except SnapshotTooNew:
            raise
        except SnapshotIncompatible:
            self.notes = ("The previous index has an older format: everything was embedded anew.",)
            return
        except SnapshotDamaged as error:
            self.notes = (f"The previous index could not be reused: {error}",)
            return
        self.previous, self._damaged = opened.snapshot, opened.damaged
        if opened.problem is not None:
            whole = opened.snapshot.generation
            self.notes = (f"The current snapshot was damaged: made anew from snapshot {whole} and the sources.",)
