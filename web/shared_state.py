"""What the serving processes of one server have in common: who came how often, what was seen, and when it was too much.

In memory where one process serves, else in files of a folder that goes with the server.
"""

from __future__ import annotations

import math
import mmap
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_FILE = "shared.sqlite"
_MOMENT = 8  # bytes
_WAIT = 1.0  # seconds for another process's transaction, which takes some ten microseconds


class Shared:
    """Transactions over what is shared, one at a time. Safe to use from many threads and processes.

    What happens in one takes some ten microseconds, so it may be done on the event loop. Raises sqlite3.Error where
    the file cannot be written.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """`folder`: of the file, the same for all processes; None: nobody else is to see it."""
        self._lock = threading.Lock()
        place = folder / _FILE if folder else ":memory:"
        self._db = sqlite3.connect(place, isolation_level=None, check_same_thread=False, timeout=_WAIT)
        if folder:
            self._db.execute("PRAGMA journal_mode = WAL")  # whoever is killed leaves it whole
            self._db.execute("PRAGMA synchronous = OFF")  # it need not outlive the machine

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of it is done, or nothing, and nobody else's comes between."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def close(self) -> None:
        self._db.close()


class SharedCounters:
    """Numbers by key, each kept for some time; of more than `most`, the oldest make room. Used in a transaction."""

    def __init__(self, shared: Shared, name: str, most: int, clock: Callable[[], float] = time.time) -> None:
        """`name` is an identifier of SQL; `clock` gives seconds, the same in all processes."""
        self._name = name
        self._most = most
        self._clock = clock
        with shared.transaction() as db:
            db.execute(
                f"CREATE TABLE IF NOT EXISTS {name} "
                "(id INTEGER PRIMARY KEY, key TEXT UNIQUE NOT NULL, number INTEGER NOT NULL, until REAL NOT NULL)"
            )
            db.execute(f"CREATE INDEX IF NOT EXISTS {name}_until ON {name} (until)")

    def get(self, db: sqlite3.Connection, key: str) -> int:
        """The number, 0 if there is none or its time is over."""
        query = f"SELECT number FROM {self._name} WHERE key = ? AND until >= ?"
        found = db.execute(query, (key, self._clock())).fetchone()
        return int(found[0]) if found else 0

    def add(self, db: sqlite3.Connection, key: str, amount: int, seconds: float) -> int:
        """Add to a number and return it; one that is new is kept for `seconds`."""
        now = self._clock()
        query = f"UPDATE {self._name} SET number = number + ? WHERE key = ? AND until >= ? RETURNING number"
        found = db.execute(query, (amount, key, now)).fetchone()
        if found:
            return int(found[0])
        db.execute(f"DELETE FROM {self._name} WHERE until < ?", (now,))
        db.execute(
            f"DELETE FROM {self._name} WHERE id IN "
            f"(SELECT id FROM {self._name} ORDER BY id LIMIT max(0, (SELECT count(*) FROM {self._name}) - ?))",
            (self._most - 1,),
        )
        db.execute(f"INSERT INTO {self._name} (key, number, until) VALUES (?, ?, ?)", (key, amount, now + seconds))
        return amount

    def remove(self, db: sqlite3.Connection, key: str) -> None:
        db.execute(f"DELETE FROM {self._name} WHERE key = ?", (key,))


class SharedTimestamp:
    """A moment that all processes see and set: eight aligned bytes, so it needs no lock."""

    def __init__(self, file: Path | None = None) -> None:
        """`file`: the same for all processes; None: nobody else is to see it."""
        self._seconds = memoryview(_mapped(file) if file else mmap.mmap(-1, _MOMENT)).cast("d")
        if not self._seconds[0]:
            self._seconds[0] = -math.inf

    def get(self) -> float:
        """Seconds on the clock of whoever set it; before anybody has, minus infinity."""
        return self._seconds[0]

    def set(self, seconds: float) -> None:
        self._seconds[0] = seconds


def _mapped(file: Path) -> mmap.mmap:
    with file.open("a+b") as opened:
        opened.truncate(_MOMENT)
        return mmap.mmap(opened.fileno(), _MOMENT)
