"""Views and votes of articles in the journal's SQLite file."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable
from datetime import date

from qa.journal.article_views import Act, Votes
from qa.journal.sqlite.file import JournalFile


class SqliteViews:
    """A `ViewStore`. Every method raises JournalUnavailable."""

    def __init__(self, file: JournalFile) -> None:
        self._file = file

    def count_once(self, act: Act, mark: Callable[[bytes], bytes]) -> None:
        day = act.day.isoformat()
        with self._file.writing() as db:
            new = db.execute("INSERT OR IGNORE INTO readers VALUES (?, ?, ?)", (day, act.kind, mark(_salt(db, day))))
            if new.rowcount:
                db.execute(
                    "INSERT INTO figures VALUES (?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1",
                    (act.article_id, day, act.kind, act.helpful),
                )

    def views(self) -> dict[str, int]:
        with self._file.reading() as db:
            return dict(db.execute("SELECT article_id, sum(count) FROM figures WHERE act = 'view' GROUP BY 1"))

    def views_of(self, article_id: str) -> int:
        with self._file.reading() as db:
            query = "SELECT coalesce(sum(count), 0) FROM figures WHERE act = 'view' AND article_id = ?"
            (count,) = db.execute(query, (article_id,)).fetchone()
        return int(count)

    def votes_since(self, day: date) -> dict[str, Votes]:
        with self._file.reading() as db:
            rows = db.execute(
                "SELECT article_id, sum(count * helpful), sum(count * (1 - helpful)) FROM figures "
                "WHERE act = 'vote' AND day >= ? GROUP BY 1",
                (day.isoformat(),),
            ).fetchall()
        return {id: Votes(int(yes), int(no)) for id, yes, no in rows}


def _salt(db: sqlite3.Connection, day: str) -> bytes:
    """The salt of the day. With a new day, the marks and salts of those before are deleted."""
    row = db.execute("SELECT salt FROM salts WHERE day = ?", (day,)).fetchone()
    if row:
        return bytes(row[0])
    salt = secrets.token_bytes(32)
    db.execute("DELETE FROM salts")
    db.execute("DELETE FROM readers")
    db.execute("INSERT INTO salts VALUES (?, ?)", (day, salt))
    return salt
