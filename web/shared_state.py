"""What the serving processes of one server share: who came how often, what was seen, and when there was too much to do.

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
from typing import Any

from indexes.write_ahead import use_write_ahead_log
from web.errors import SharedUnavailable

_FILE = "shared.sqlite"
_MOMENT = 8  # bytes
_WAIT = 1.0  # seconds for another process's transaction, which takes some ten microseconds


class Shared:
    """Transactions over what is shared, one at a time. Safe to use from many threads and processes.

    What happens in one takes some ten microseconds, so it may be done on the event loop. Every method raises
    SharedUnavailable where the file cannot be written.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """`folder`: of the file, the same for all processes; None: nobody else is to see it."""
        self._lock = threading.RLock()
        path = folder / _FILE if folder else ":memory:"
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=_WAIT)
        if folder:
            try:
                use_write_ahead_log(self._db, _WAIT)
            except sqlite3.Error as error:
                raise _unavailable(error) from error
            self.execute("PRAGMA synchronous = OFF")  # it need not outlive the machine

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it is done, or nothing, and nobody else's comes between. One within another is part of it."""
        with self._lock:
            if self._begun():
                yield
                return
            self.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self.execute("ROLLBACK")
                raise
            self.execute("COMMIT")

    def execute(self, statement: str, *values: object) -> list[Any]:
        """The rows that an SQL statement returns."""
        with self._lock:
            try:
                return self._db.execute(statement, values).fetchall()
            except sqlite3.Error as error:
                raise _unavailable(error) from error

    def close(self) -> None:
        self._db.close()

    def _begun(self) -> bool:
        try:
            return self._db.in_transaction
        except sqlite3.Error as error:  # it is closed
            raise _unavailable(error) from error


def _unavailable(error: Exception) -> SharedUnavailable:
    return SharedUnavailable(
        f"What the serving processes share cannot be used ({error}): check the free space of the temporary folder and "
        "start the server anew."
    )


class SharedCounters:
    """Numbers by key, each for some time; of more than `most`, the oldest make room.

    Every method is a transaction, or part of the one that has begun; all raise SharedUnavailable.
    """

    def __init__(self, shared: Shared, name: str, most: int, clock: Callable[[], float] = time.time) -> None:
        """`name` is an identifier of SQL; `clock` gives seconds, the same in all processes."""
        self._shared = shared
        self._name = name
        self._most = most
        self._clock = clock
        self.transaction = shared.transaction
        with shared.transaction():
            shared.execute(
                f"CREATE TABLE IF NOT EXISTS {name} "
                "(id INTEGER PRIMARY KEY, key TEXT UNIQUE NOT NULL, number INTEGER NOT NULL, until REAL NOT NULL)"
            )
            shared.execute(f"CREATE INDEX IF NOT EXISTS {name}_until ON {name} (until)")

    def get(self, key: str) -> int:
        """The number, 0 if there is none or its time is over."""
        query = f"SELECT number FROM {self._name} WHERE key = ? AND until >= ?"
        rows = self._shared.execute(query, key, self._clock())
        return int(rows[0][0]) if rows else 0

    def expiry(self, key: str) -> float:
        """When the number's time is over; now if there is none."""
        now = self._clock()
        rows = self._shared.execute(f"SELECT until FROM {self._name} WHERE key = ? AND until >= ?", key, now)
        return float(rows[0][0]) if rows else now

    def add(self, key: str, amount: int, seconds: float) -> int:
        """Add to a number and return it; one that is new is kept for `seconds`."""
        now = self._clock()
        with self.transaction():
            query = f"UPDATE {self._name} SET number = number + ? WHERE key = ? AND until >= ? RETURNING number"
            if rows := self._shared.execute(query, amount, key, now):
                return int(rows[0][0])
            self._shared.execute(f"DELETE FROM {self._name} WHERE until < ?", now)
            self._shared.execute(
                f"DELETE FROM {self._name} WHERE id IN "
                f"(SELECT id FROM {self._name} ORDER BY id LIMIT max(0, (SELECT count(*) FROM {self._name}) - ?))",
                self._most - 1,
            )
            insert = f"INSERT INTO {self._name} (key, number, until) VALUES (?, ?, ?)"
            self._shared.execute(insert, key, amount, now + seconds)
            return amount

    def remove(self, key: str) -> None:
        self._shared.execute(f"DELETE FROM {self._name} WHERE key = ?", key)

    def clear(self) -> int:
        """Remove all numbers; returns how many there were."""
        return len(self._shared.execute(f"DELETE FROM {self._name} RETURNING id"))


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
