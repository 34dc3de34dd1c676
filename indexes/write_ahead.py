"""The write-ahead log of a SQLite file: one writes while others read, and whoever is killed leaves it whole."""

from __future__ import annotations

import sqlite3
import time

_PAUSE = 0.01  # seconds


def use_write_ahead_log(db: sqlite3.Connection, wait: float) -> None:
    """Switch a file to it, for good; several processes may do so at once.

    `wait`: seconds for the others. Raises sqlite3.Error.
    """
    until = time.monotonic() + wait
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            # Of two that switch at once, SQLite refuses one without waiting: each would wait for the other.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(_PAUSE)
