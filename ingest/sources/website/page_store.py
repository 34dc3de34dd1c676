"""Stores websites' pages as last fetched, beside the index, so that unchanged ones are not fetched again."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from indexes.types import Article

_FILE = "websites.sqlite"
_VERSION = "2"  # raise it when pages are read differently: all are then fetched again
_STALE = 24 * 3600.0  # seconds after which an interrupted crawl starts over


@dataclass(frozen=True, slots=True)
class WebPage:
    """A page as it was read: its article, or the problem with it, and the targets of its links."""

    url: str  # its canonical address
    article: Article | None = None
    problem: str = ""
    links: tuple[str, ...] = ()
    hidden: bool = False  # it asks not to be indexed


@dataclass(frozen=True, slots=True)
class StoredPage:
    """`page` with the validators of its response; `seen`: when it was last requested, epoch seconds."""

    page: WebPage
    etag: str
    modified: str
    seen: float


class PageStore:
    """A table of pages by (site, address), in a file beside the snapshots. The caller holds the write lock."""

    def __init__(self, root: Path) -> None:
        path = root / _FILE
        try:
            self._db = self._open(path)
        except sqlite3.DatabaseError:  # torn by a crash: the pages are fetched again
            path.unlink()
            self._db = self._open(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    @staticmethod
    def _open(path: Path) -> sqlite3.Connection:
        database = sqlite3.connect(path)
        with database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS pages (site TEXT, url TEXT, version TEXT NOT NULL, etag TEXT NOT NULL, "
                "modified TEXT NOT NULL, seen REAL NOT NULL, page TEXT NOT NULL, PRIMARY KEY (site, url))"
            )
            database.execute(
                "CREATE TABLE IF NOT EXISTS crawls "
                "(site TEXT PRIMARY KEY, started REAL NOT NULL, ended INTEGER NOT NULL)"
            )
            database.execute("DELETE FROM pages WHERE version != ?", (_VERSION,))
        return database

    def started(self, site: str, now: float, fresh: float) -> float:
        """The start of the crawl of `site` whose pages need not be fetched again: one interrupted within a day or ended
        within `fresh` seconds; else `now`."""
        with self._db:
            self._db.execute(
                "DELETE FROM crawls WHERE site = ? AND started <= ? - CASE WHEN ended THEN ? ELSE ? END",
                (site, now, fresh, _STALE),
            )
            self._db.execute("INSERT OR IGNORE INTO crawls VALUES (?, ?, FALSE)", (site, now))
        return float(self._db.execute("SELECT started FROM crawls WHERE site = ?", (site,)).fetchone()[0])

    def ended(self, site: str) -> None:
        with self._db:
            self._db.execute("UPDATE crawls SET ended = TRUE WHERE site = ?", (site,))

    def get(self, site: str, url: str) -> StoredPage | None:
        row = self._db.execute(
            "SELECT page, etag, modified, seen FROM pages WHERE site = ? AND url = ?", (site, url)
        ).fetchone()
        return StoredPage(_read(row[0]), *row[1:]) if row else None

    def unseen(self, site: str, since: float) -> list[tuple[str, WebPage]]:
        """Pages, with their addresses, that no crawl has reached since then."""
        rows = self._db.execute("SELECT url, page FROM pages WHERE site = ? AND seen < ? ORDER BY url", (site, since))
        return [(url, _read(page)) for url, page in rows]

    def put(self, site: str, url: str, stored: StoredPage) -> None:
        row = (
            site,
            url,
            _VERSION,
            stored.etag,
            stored.modified,
            stored.seen,
            json.dumps(asdict(stored.page), default=str),
        )
        with self._db:
            self._db.execute("INSERT OR REPLACE INTO pages VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def forget(self, site: str, url: str) -> None:
        with self._db:
            self._db.execute("DELETE FROM pages WHERE site = ? AND url = ?", (site, url))


def _read(text: str) -> WebPage:
    fields: dict[str, Any] = json.loads(text)
    article = fields["article"]
    if article is not None:
        updated = article["updated"]
        day = date.fromisoformat(updated) if updated else None
        article = Article(
            **{**article, "tags": tuple(article["tags"]), "audience": tuple(article["audience"]), "updated": day}
        )
    return WebPage(**{**fields, "article": article, "links": tuple(fields["links"])})
