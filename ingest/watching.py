"""Follows sources: folders as soon as a file changes, everything at an interval."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import watchfiles

from indexes.errors import FootnoteError, IndexBusy

_STEP = 500  # milliseconds between checks whether the interval has passed
_QUIET = 800  # milliseconds without a change before a sync, so that changes made together are one sync
_BUSY_SECONDS = 5.0  # until the retry while another process writes the index
_FAILED_SECONDS = 30.0  # until the retry after an error


class _WatchFilter(watchfiles.DefaultFilter):
    """Ignores the index, whose changes would trigger more syncs, and the siblings of a single file."""

    def __init__(self, index: Path, paths: Sequence[Path]) -> None:
        super().__init__()
        self._index = index.resolve()
        self._paths = [path.resolve() for path in paths]

    def __call__(self, change: watchfiles.Change, path: str) -> bool:
        changed = Path(path)
        if changed.is_relative_to(self._index) or not super().__call__(change, path):
            return False
        return any(changed.is_relative_to(followed) for followed in self._paths)


def follow(
    paths: Sequence[Path], index: Path, interval: float, sync: Callable[[], None], failed: Callable[[Exception], None]
) -> None:
    """Calls `sync` now, after changes below `paths`, and every `interval` seconds to catch changes that the file system
    does not announce. Errors go to `failed`, then it retries. Ends by KeyboardInterrupt."""
    due = 0.0
    watched = [path.resolve() if path.is_dir() else path.resolve().parent for path in paths]
    for changed in _changes(watched, any(path.is_dir() for path in paths), _WatchFilter(index, paths)):
        if changed or time.monotonic() >= due:
            due = time.monotonic() + _attempt(interval, sync, failed)


def _changes(folders: Sequence[Path], recursive: bool, filter: _WatchFilter) -> Iterator[bool]:
    """Whether anything has changed, every half second and right after a change. Changes made while the caller is busy
    are reported next."""
    while not folders:
        yield False
        time.sleep(_STEP / 1000)
    watch = watchfiles.watch(
        *folders,
        watch_filter=filter,
        recursive=recursive,
        debounce=_QUIET,
        rust_timeout=_STEP,
        yield_on_timeout=True,
        raise_interrupt=True,
    )
    for changes in watch:
        yield bool(changes)


def _attempt(interval: float, sync: Callable[[], None], failed: Callable[[Exception], None]) -> float:
    """Syncs once; returns the seconds until the next sync."""
    try:
        sync()
    except IndexBusy as error:
        failed(error)
        return _BUSY_SECONDS
    except (FootnoteError, OSError, sqlite3.Error) as error:  # the last one: a full disk, while vectors are put aside
        failed(error)
        return min(_FAILED_SECONDS, interval)
    return interval
