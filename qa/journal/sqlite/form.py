"""Which form a SQLite file has."""

from __future__ import annotations

import sqlite3


def form_of(db: sqlite3.Connection) -> str:
    """The number of the form of a file, four digits; "0000" for an empty file.

    Before Alembic it was in the file's `user_version`.
    """
    if db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'alembic_version'").fetchone():
        (form,) = db.execute("SELECT coalesce(max(version_num), '0000') FROM alembic_version").fetchone()
        return str(form)
    (number,) = db.execute("PRAGMA user_version").fetchone()
    return f"{number:04}"
