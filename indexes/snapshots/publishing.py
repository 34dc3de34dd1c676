"""Writing a snapshot: build in a scratch folder, fsync, rename, point CURRENT at it, prune.

A process may be killed, or the power cut, between any two of these steps: `tests/faults` does it at each.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import shutil
import socket
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from indexes.errors import IndexBusy, SnapshotDamaged, SnapshotMissing, SnapshotNotWritten
from indexes.snapshots.drafting import Draft as Draft
from indexes.snapshots.drafting import write_snapshot
from indexes.snapshots.snapshot import CURRENT, Manifest, Snapshot

log = logging.getLogger(__name__)

_LOCK = "lock"
_SCRATCH = "scratch-"  # whatever bears it belongs to no snapshot, and the next writer removes it
_POINTER = f"{CURRENT}.new"
_NAMING = 0.1  # seconds for a new holder of the lock to write its name into it, and for `require_free` to let go


@contextlib.contextmanager
def writing(root: Path) -> Iterator[None]:
    """Hold the index's write lock. Raises IndexBusy at once, naming the holder; a dead holder frees the lock."""
    _make_folder(root)
    with (root / _LOCK).open("a+", encoding="utf-8") as lock:
        _acquire(root, lock)
        lock.truncate(0)
        lock.write(f"process {os.getpid()} on {socket.gethostname()} since {_now()}")
        lock.flush()
        _sweep(root)
        yield


def require_free(root: Path) -> None:
    """Raises IndexBusy if somebody is writing: to know it before the costly preparations of a write."""
    if (root / _LOCK).exists():
        with (root / _LOCK).open("a+", encoding="utf-8") as lock:
            _acquire(root, lock)


def publish(
    root: Path, draft: Draft, keep: int, previous: Snapshot | None = None, damaged: Sequence[str] = ()
) -> Manifest:
    """Make `draft`, with what it carries over from `previous`, the current snapshot of `root` in one atomic step.
    The caller holds the write lock.

    Until CURRENT is replaced, readers see the old generation whole; after, the new one whole. Then the generations
    `damaged` and all but the newest `keep` are deleted. Raises SnapshotNotWritten where the disk is full or fails.
    """
    generation = _next_generation(root)
    scratch = root / f"{_SCRATCH}{generation}"
    try:
        scratch.mkdir()
        manifest = write_snapshot(scratch, generation, draft, previous)
        for path in sorted(scratch.iterdir()):
            _fsync(path)
        _fsync(scratch)
        scratch.rename(root / generation)
        _fsync(root)
        point_current(root, generation)
    except (OSError, sqlite3.Error, RuntimeError) as error:  # RuntimeError: what FAISS makes of a failed write
        shutil.rmtree(scratch, ignore_errors=True)  # a full disk needs its space back now, not at the next ingest
        raise _not_written(root, generation, error) from error
    tidy(root, keep, damaged)
    return manifest


def tidy(root: Path, keep: int, damaged: Sequence[str] = ()) -> None:
    """Delete the generations `damaged` and old ones. What cannot be deleted now is left to the next ingest."""
    try:
        remove(root, [generation for generation in damaged if generation in generations(root)])
        prune(root, keep)
    except OSError as error:
        log.warning("Old snapshots could not be removed (%s): the next ingest tries again.", error)


def point_current(root: Path, generation: str) -> None:
    """Replace CURRENT atomically. Raises SnapshotMissing if there is no such generation."""
    if generation not in generations(root):
        raise SnapshotMissing(f"There is no snapshot {generation} in {root}: see `footnote snapshots`.")
    pointer = root / _POINTER
    pointer.write_text(f"{generation}\n", encoding="utf-8")
    _fsync(pointer)
    pointer.rename(root / CURRENT)
    _fsync(root)


def current_generation(root: Path) -> str | None:
    """The generation CURRENT names, or None before the first ingest."""
    try:
        return (root / CURRENT).read_text(encoding="utf-8", errors="replace").strip() or None
    except FileNotFoundError:
        return None


def generations(root: Path) -> list[str]:
    """Every published generation, oldest first."""
    if not root.is_dir():
        return []
    return sorted(entry.name for entry in root.iterdir() if entry.name.isdigit() and entry.is_dir())


def open_current(root: Path) -> Snapshot:
    """Open the snapshot CURRENT names. Raises SnapshotMissing before the first ingest, and other SnapshotErrors."""
    try:
        generation = current_generation(root)
    except OSError as error:
        raise SnapshotDamaged(
            f"{root / CURRENT} cannot be read ({error.strerror}): run `footnote rollback GENERATION`."
        ) from error
    if generation is None:
        raise SnapshotMissing(f"There is no index at {root} yet: run `footnote ingest SOURCE`, or `make serve`.")
    if not generation.isdecimal():
        raise SnapshotDamaged(
            f"{root / CURRENT} names no snapshot: run `footnote rollback GENERATION` with one of `footnote snapshots`."
        )
    return Snapshot.open(root / generation)


def prune(root: Path, keep: int) -> None:
    """Delete all but the newest `keep` generations and the current one."""
    current = current_generation(root)
    remove(root, [generation for generation in generations(root)[:-keep] if generation != current])


def remove(root: Path, unwanted: Iterable[str]) -> None:
    """Delete generations; one whose deletion is cut short is no generation any more."""
    for generation in unwanted:
        doomed = root / f"{_SCRATCH}removed-{generation}"
        (root / generation).rename(doomed)
        _fsync(root)
        shutil.rmtree(doomed)


def _next_generation(root: Path) -> str:
    last = max((int(name) for name in generations(root)), default=0)
    return f"{last + 1:06d}"


def _sweep(root: Path) -> None:
    """Remove what an interrupted writer left behind; nothing points there."""
    for entry in root.glob(f"{_SCRATCH}*"):
        shutil.rmtree(entry)
    (root / _POINTER).unlink(missing_ok=True)


def _make_folder(path: Path) -> None:
    """Create a folder so that a power cut does not take it away again."""
    if not path.is_dir():
        _make_folder(path.absolute().parent)
        path.mkdir(exist_ok=True)
        _fsync(path.absolute().parent)


def _acquire(root: Path, lock: TextIO) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    except BlockingIOError:
        time.sleep(_NAMING)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.seek(0)
        holder = lock.read().strip() or "another process"
        raise IndexBusy(f"The index {root} is being written by {holder}. Try again when it has ended.") from error


def _not_written(root: Path, generation: str, error: Exception) -> SnapshotNotWritten:
    reason = (str(error).strip() or type(error).__name__).splitlines()[-1]  # FAISS begins with places in its source
    with contextlib.suppress(OSError):
        if current_generation(root) == generation:
            return SnapshotNotWritten(f"Snapshot {generation} is current, but the disk did not confirm it ({reason}).")
    return SnapshotNotWritten(
        f"The snapshot could not be written to {root} ({reason}); the index is as it was. Check the space on the disk "
        "and its health (`footnote doctor`), then run the same command: what was embedded is kept."
    )


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
