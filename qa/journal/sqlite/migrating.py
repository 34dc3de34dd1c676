"""Brings a SQLite file to the form that this version of Footnote expects (docs/decisions/migrations.md).

A form has a number. What leads to it from the one before is a revision of Alembic: the file `v<number>_<what>.py` in a
folder of `versions`. Revisions are only ever added.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from qa.errors import NewerFile


def migrate(path: Path, versions: Path) -> None:
    """Apply the revisions that the file lacks. Several processes may do so at once. Raises NewerFile, sqlite3.Error."""
    newest = max(file.stem[1:5] for file in versions.glob("v*.py"))
    with closing(sqlite3.connect(path)) as db:
        current = form_of(db)
    if current > newest:
        raise NewerFile(
            f"{path} was written by a newer version of Footnote (form {current}; this version knows {newest} and "
            "older): start that version again, or move the file away, and a new one is made."
        )
    if current < newest:
        from qa.journal.sqlite.upgrading import upgrade  # here: Alembic takes 0.3 s and 34 MB

        upgrade(path, versions)


def form_of(db: sqlite3.Connection) -> str:
    """The number of the form of a file, four digits; "0000" for an empty file.

    Before Alembic it was in the file's `user_version`.
    """
    if db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'alembic_version'").fetchone():
        (form,) = db.execute("SELECT coalesce(max(version_num), '0000') FROM alembic_version").fetchone()
        return str(form)
    (number,) = db.execute("PRAGMA user_version").fetchone()
    return f"{number:04}"
