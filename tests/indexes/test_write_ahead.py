"""Tests of switching a SQLite file to a write-ahead log while others hold it."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from indexes.write_ahead import use_write_ahead_log


def held(path: Path) -> sqlite3.Connection:
    """A connection that holds the file, as one does that switches it at the same moment."""
    db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    db.execute("BEGIN EXCLUSIVE")
    return db


def test_a_file_that_another_process_holds_for_a_moment_is_switched_when_it_is_free(tmp_path: Path) -> None:
    path = tmp_path / "shared.sqlite"
    with closing(held(path)) as other, closing(sqlite3.connect(path, timeout=0)) as db:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            db.execute("PRAGMA journal_mode = WAL")
        release = threading.Timer(0.1, other.execute, ["ROLLBACK"])
        release.start()
        use_write_ahead_log(db, wait=10)
        release.join()
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_file_that_stays_held_is_given_up_after_the_wait(tmp_path: Path) -> None:
    path = tmp_path / "shared.sqlite"
    with closing(held(path)), closing(sqlite3.connect(path, timeout=0)) as db, pytest.raises(sqlite3.OperationalError):
        use_write_ahead_log(db, wait=0.05)
