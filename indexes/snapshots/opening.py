"""Opening the index to answer from it: the snapshot CURRENT names or, where that is damaged, the whole one before."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from indexes.errors import IndexesError, SnapshotDamaged, SnapshotIncompatible, SnapshotMissing
from indexes.snapshots.publishing import current_generation, generations, open_current
from indexes.snapshots.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Opened:
    """A whole snapshot. `problem` says why it is not the one CURRENT names; `damaged` are those passed over."""

    snapshot: Snapshot
    problem: str | None = None
    damaged: tuple[str, ...] = ()


def open_whole(root: Path) -> Opened:
    """The current snapshot, or the nearest whole one: earlier ones first, then later ones.

    Raises SnapshotMissing before the first ingest, SnapshotIncompatible where the current one is in another format
    (no damage: its owner must decide), SnapshotDamaged where none is whole.
    """
    try:
        return Opened(open_current(root))
    except (SnapshotDamaged, SnapshotMissing) as error:
        return _fall_back(root, error)


def until_then(error: Exception, snapshot: Snapshot) -> str:
    """Why the current snapshot is not served, what to run, and what is served meanwhile."""
    return f"{error} Until then snapshot {snapshot.generation} answers."


def _fall_back(root: Path, error: IndexesError) -> Opened:
    damaged = []
    for generation in _nearest(root):
        try:
            snapshot = Snapshot.open(root / generation)
        except (SnapshotDamaged, SnapshotMissing):
            damaged.append(generation)
            continue
        except SnapshotIncompatible:
            continue
        return Opened(snapshot, until_then(error, snapshot), tuple(damaged))
    raise error


def _nearest(root: Path) -> list[str]:
    """All generations: the current one and those before it, newest first, then the later ones."""
    present = generations(root)
    try:
        current = current_generation(root) or ""
    except OSError:
        current = ""
    if not current.isdecimal():
        return present[::-1]
    return [g for g in present if g <= current][::-1] + [g for g in present if g > current]
