"""How does a SQLite file get the form that this version expects?"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence


def migrate(db: sqlite3.Connection, migrations: Sequence[str]) -> None:
    """Apply the `migrations` the file lacks; its `user_version` says how many it has. Several processes may do so.

    A migration is SQL statements that end in `;`, with no `;` inside. Only ever append to them. Raises sqlite3.Error.
    """
    if _applied(db) >= len(migrations):
        return
    db.execute("BEGIN IMMEDIATE")
    with db:  # commits, or takes it all back
        for number, script in enumerate(migrations[_applied(db) :], start=_applied(db) + 1):
            for statement in script.split(";"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {number}")


def _applied(db: sqlite3.Connection) -> int:
    (number,) = db.execute("PRAGMA user_version").fetchone()
    return int(number)
