"""Writes the tables that `article_table` reads: once, for one snapshot."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

from indexes.types import Category, IndexedArticle, passage_text

Move: TypeAlias = tuple[int, int, int]  # (row of an article, its new row, what is added to the rows of its chunks)

_SCHEMA = """
CREATE TABLE categories (position INTEGER PRIMARY KEY, name TEXT NOT NULL, description TEXT NOT NULL,
  site_label TEXT NOT NULL, site_url TEXT NOT NULL);
CREATE TABLE articles (
  row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL, summary TEXT NOT NULL,
  featured INTEGER NOT NULL, views INTEGER NOT NULL, updated TEXT, type TEXT NOT NULL, category TEXT NOT NULL,
  source_url TEXT, markdown TEXT NOT NULL, headings TEXT NOT NULL, fingerprint TEXT NOT NULL,
  chunk_count INTEGER NOT NULL, audience TEXT NOT NULL);
CREATE TABLE tags (article INTEGER NOT NULL, position INTEGER NOT NULL, tag TEXT NOT NULL,
  PRIMARY KEY (article, position)) WITHOUT ROWID;
CREATE TABLE chunks (
  number INTEGER PRIMARY KEY, article INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
  heading TEXT NOT NULL, context TEXT NOT NULL, quotables TEXT NOT NULL, digest TEXT NOT NULL);
"""
_INDEXES = """
CREATE INDEX chunks_of_article ON chunks (article);
CREATE INDEX chunks_of_digest ON chunks (digest);
"""


class ArticleWriter:
    """Writes one new file: `carry` and `add` in any order, then `close`. Rows are given by the caller."""

    def __init__(self, path: Path, categories: Iterable[Category]) -> None:
        # A file that is not finished is thrown away whole: no journal, and the publisher fsyncs.
        self._db = sqlite3.connect(path.absolute().as_uri(), uri=True, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.executescript(_SCHEMA)
        self._db.execute("BEGIN")
        self._db.executemany(
            "INSERT INTO categories VALUES (?, ?, ?, ?, ?)",
            [(position, c.name, c.description, c.site_label, c.site_url) for position, c in enumerate(categories)],
        )

    def carry(self, table: Path, moves: Iterable[Move]) -> None:
        """Copy articles of another table with their tags and chunks, without reading them here."""
        self._db.execute("COMMIT")
        self._db.execute("ATTACH ? AS origin", (f"{table.absolute().as_uri()}?mode=ro&immutable=1",))
        self._db.execute("BEGIN")
        self._db.execute("CREATE TEMP TABLE moved (row INTEGER PRIMARY KEY, new_row INTEGER, shift INTEGER)")
        self._db.executemany("INSERT INTO moved VALUES (?, ?, ?)", moves)
        self._db.execute(
            "INSERT INTO main.articles SELECT new_row, id, title, summary, featured, views, updated, type, category, "
            "source_url, markdown, headings, fingerprint, chunk_count, audience "
            "FROM moved CROSS JOIN origin.articles AS old ON old.row = moved.row"
        )
        self._db.execute(
            "INSERT INTO main.tags SELECT new_row, position, tag "
            "FROM moved CROSS JOIN origin.tags AS old ON old.article = moved.row"
        )
        self._db.execute(
            'INSERT INTO main.chunks SELECT number + shift, new_row, start, "end", heading, context, quotables, digest '
            "FROM moved CROSS JOIN origin.chunks AS old ON old.article = moved.row"
        )
        self._db.execute("DROP TABLE moved")
        self._db.execute("COMMIT")
        self._db.execute("DETACH origin")
        self._db.execute("BEGIN")

    def add(self, row: int, first_chunk: int, entry: IndexedArticle) -> None:
        article = entry.article
        headings = json.dumps([[h.level, h.text, h.anchor, h.start] for h in entry.headings])
        updated = article.updated.isoformat() if article.updated else None
        self._db.execute(
            f"INSERT INTO articles VALUES ({', '.join('?' * 15)})",
            (
                row,
                article.id,
                article.title,
                article.summary,
                article.featured,
                article.views,
                updated,
                article.type,
                article.category,
                article.source_url,
                article.markdown,
                headings,
                entry.fingerprint,
                len(entry.chunks),
                json.dumps(article.audience),
            ),
        )
        self._db.executemany(
            "INSERT INTO tags VALUES (?, ?, ?)", [(row, position, tag) for position, tag in enumerate(article.tags)]
        )
        self._add_chunks(row, first_chunk, entry)

    def _add_chunks(self, row: int, first_chunk: int, entry: IndexedArticle) -> None:
        markdown = entry.article.markdown
        self._db.executemany(
            "INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    first_chunk + position,
                    row,
                    c.start,
                    c.end,
                    json.dumps(c.heading),
                    c.context,
                    json.dumps([[q.kind, q.start, q.end] for q in c.quotables]),
                    passage_text(c, markdown[c.start : c.end]).digest,
                )
                for position, c in enumerate(entry.chunks)
            ],
        )

    def finish(self) -> None:
        self._db.execute("COMMIT")
        self._db.executescript(_INDEXES)

    def close(self) -> None:
        self._db.close()
