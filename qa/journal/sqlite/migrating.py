"""Brings a SQLite file to the form that this version of Footnote expects (docs/decisions/migrations.md).

A form has a number. What leads to it from the one before is a revision of Alembic: the file `v<number>_<what>.py` in a
folder of `versions`. Revisions are only ever added.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from qa.errors import NewerFile
from qa.journal.sqlite.form import form_of

_WAIT = 10.0  # seconds for other processes that open the file for the first time
_PAUSE = 0.01  # seconds


def migrate(path: Path, versions: Path) -> None:
    """Make the file, with a write-ahead log, and apply the revisions that it lacks.

    Several processes may do so at once. Raises NewerFile, sqlite3.Error.
    """
    newest = max(file.stem[1:5] for file in versions.glob("v*.py"))
    with closing(sqlite3.connect(path, timeout=_WAIT)) as db:
        current = form_of(db)
        if current > newest:
            raise NewerFile(
                f"{path} was written by a newer version of Footnote (form {current}; this version knows {newest} and "
                "older): start that version again, or move the file away, and a new one is made."
            )
        _use_log(db)
    if current < newest:
        from qa.journal.sqlite.upgrading import upgrade  # here: Alembic takes 0.3 s and 34 MB

        upgrade(path, versions)


def _use_log(db: sqlite3.Connection) -> None:
    """Write ahead. The file remembers it."""
    until = time.monotonic() + _WAIT
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            # Of two that switch at once, SQLite refuses one without waiting: each would wait for the other.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(_PAUSE)
