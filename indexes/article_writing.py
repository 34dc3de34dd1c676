"""Writing the article table of a snapshot: its schema, and the rows of articles and chunks."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from indexes.types import Category, IndexedArticle, digest, embedded_text

_SCHEMA = """
CREATE TABLE categories (name TEXT PRIMARY KEY, description TEXT, site_label TEXT, site_url TEXT);
CREATE TABLE articles (
  row INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, title TEXT NOT NULL, summary TEXT NOT NULL,
  featured INTEGER NOT NULL, views INTEGER NOT NULL, updated TEXT, type TEXT NOT NULL, category TEXT NOT NULL,
  source_url TEXT, markdown TEXT NOT NULL, headings TEXT NOT NULL, fingerprint TEXT NOT NULL,
  chunk_count INTEGER NOT NULL);
CREATE TABLE tags (article INTEGER NOT NULL, position INTEGER NOT NULL, tag TEXT NOT NULL,
  PRIMARY KEY (article, position)) WITHOUT ROWID;
CREATE TABLE chunks (
  number INTEGER PRIMARY KEY, article INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
  heading TEXT NOT NULL, context TEXT NOT NULL, quotables TEXT NOT NULL, digest TEXT NOT NULL);
CREATE INDEX chunks_of_article ON chunks (article);
"""


def write_articles(path: Path, articles: Iterable[IndexedArticle], categories: Iterable[Category]) -> None:
    """Write the table to a new file; chunks are numbered from 0 in the order given."""
    connection = sqlite3.connect(path)
    try:
        with connection:
            connection.executescript(_SCHEMA)
            connection.executemany(
                "INSERT INTO categories VALUES (?, ?, ?, ?)",
                [(c.name, c.description, c.site_label, c.site_url) for c in categories],
            )
            number = 0
            for row, entry in enumerate(articles):
                _insert_article(connection, row, entry)
                _insert_chunks(connection, row, number, entry)
                number += len(entry.chunks)
    finally:
        connection.close()


def _insert_article(connection: sqlite3.Connection, row: int, entry: IndexedArticle) -> None:
    article = entry.article
    headings = json.dumps([[h.level, h.text, h.anchor, h.start] for h in entry.headings])
    updated = article.updated.isoformat() if article.updated else None
    connection.execute(
        f"INSERT INTO articles VALUES ({', '.join('?' * 14)})",
        (row, article.id, article.title, article.summary, article.featured, article.views, updated,
         article.type, article.category, article.source_url, article.markdown, headings, entry.fingerprint,
         len(entry.chunks)),
    )  # fmt: skip
    connection.executemany(
        "INSERT INTO tags VALUES (?, ?, ?)", [(row, place, tag) for place, tag in enumerate(article.tags)]
    )


def _insert_chunks(connection: sqlite3.Connection, row: int, first: int, entry: IndexedArticle) -> None:
    markdown = entry.article.markdown
    connection.executemany(
        "INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (first + place, row, c.start, c.end, json.dumps(c.heading), c.context,
             json.dumps([[q.kind, q.start, q.end] for q in c.quotables]),
             digest(embedded_text(c, markdown[c.start : c.end])))
            for place, c in enumerate(entry.chunks)
        ],
    )  # fmt: skip
