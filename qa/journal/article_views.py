"""How often was each article read and found helpful? Figures of days, from which nobody can be told again.

A reader counts once an article and day. To know that, a hash of their address and browser is kept until the day ends,
keyed with a salt that is drawn anew each day and deleted with it, and different for every article: so no reader can be
followed from one day, or from one article, to the next.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal, TypeAlias

from qa.journal.store import Journal

ReaderAct: TypeAlias = Literal["view", "vote"]

_BOTS = re.compile(
    r"bot\b|crawl|spider|slurp|curl/|wget|python|httpx|scrapy|headless|monitor|preview|fetch|http-?client|^$", re.I
)


@dataclass(frozen=True, slots=True)
class Votes:
    """Answers to "Was this helpful?"."""

    yes: int = 0
    no: int = 0


def _today() -> date:
    return datetime.now(UTC).date()


class Views:
    """Keeps its figures in the journal's file. Every method raises JournalUnavailable."""

    def __init__(self, journal: Journal, today: Callable[[], date] = _today) -> None:
        self._journal = journal
        self._today = today

    def count(self, article_id: str, address: str, browser: str) -> None:
        """A reader with this network address and user agent has opened an article. Robots do not count."""
        if not _BOTS.search(browser):
            self._add("view", article_id, f"{address}\n{browser}")

    def vote(self, article_id: str, address: str, browser: str, helpful: bool) -> None:
        """The reader found the article helpful, or not; the first word of a day counts."""
        self._add("vote", article_id, f"{address}\n{browser}", helpful)

    def all(self) -> dict[str, int]:
        """Article id → views counted so far."""
        with self._journal.using() as db:
            return dict(db.execute("SELECT article_id, sum(count) FROM figures WHERE act = 'view' GROUP BY 1"))

    def of(self, article_id: str) -> int:
        with self._journal.using() as db:
            query = "SELECT coalesce(sum(count), 0) FROM figures WHERE act = 'view' AND article_id = ?"
            (count,) = db.execute(query, (article_id,)).fetchone()
        return int(count)

    def votes_since(self, day: date) -> dict[str, Votes]:
        """Article id → votes given on `day` or later."""
        with self._journal.using() as db:
            rows = db.execute(
                "SELECT article_id, sum(count * helpful), sum(count * (1 - helpful)) FROM figures "
                "WHERE act = 'vote' AND day >= ? GROUP BY 1",
                (day.isoformat(),),
            ).fetchall()
        return {id: Votes(int(yes), int(no)) for id, yes, no in rows}

    def _add(self, act: ReaderAct, article_id: str, reader: str, helpful: bool = True) -> None:
        day = self._today().isoformat()
        with self._journal.using() as db, db:
            mark = hashlib.blake2b(f"{article_id}\n{reader}".encode(), key=_salt(db, day), digest_size=12).digest()
            seen = db.execute("INSERT OR IGNORE INTO readers VALUES (?, ?, ?)", (day, act, mark))
            if seen.rowcount:
                db.execute(
                    "INSERT INTO figures VALUES (?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1",
                    (article_id, day, act, helpful),
                )


def _salt(db: sqlite3.Connection, day: str) -> bytes:
    """The salt of the day. With a new day, the marks and salts of those before are deleted."""
    found = db.execute("SELECT salt FROM salts WHERE day = ?", (day,)).fetchone()
    if found:
        return bytes(found[0])
    salt = secrets.token_bytes(32)
    db.execute("DELETE FROM salts")
    db.execute("DELETE FROM readers")
    db.execute("INSERT INTO salts VALUES (?, ?)", (day, salt))
    return salt
