"""Brings a SQLite file to the form that this version of Footnote expects (docs/decisions/migrations.md).

A form has a number. What leads to it from the one before is a revision of Alembic: the file `v<number>_<what>.py` in a
folder of `versions`. Revisions are only ever added.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from indexes.write_ahead import use_write_ahead_log
from qa.errors import NewerFile
from qa.journal.sqlite.form import form_of

_WAIT = 10.0  # seconds for other processes that open the file for the first time


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
        use_write_ahead_log(db, _WAIT)
    if current < newest:
        from qa.journal.sqlite.upgrading import upgrade  # here: Alembic takes 0.3 s and 34 MB

        upgrade(path, versions)
