"""Opens the tables of a snapshot, and makes articles and chunks of their rows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from indexes.types import Article, Chunk, Quotable

COLUMNS = "row, id, title, summary, featured, views, updated, type, category, source_url, markdown, audience"
LISTED = "(SELECT value FROM json_each(?))"  # a list of any length as one parameter


def opened(path: Path, hidden: Sequence[int] = ()) -> sqlite3.Connection:
    """The written tables, read-only, as if the articles in rows `hidden` were not there."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)
    if not hidden:
        return connection
    connection.execute("CREATE TEMP TABLE hidden (row INTEGER PRIMARY KEY)")
    connection.executemany("INSERT INTO hidden VALUES (?)", ((row,) for row in hidden))
    for table, row in (("articles", "row"), ("tags", "article"), ("chunks", "article")):  # these views come first
        connection.execute(f"CREATE TEMP VIEW {table} AS SELECT * FROM main.{table} WHERE {row} NOT IN hidden")
    connection.commit()
    return connection


def chunks_of_rows(connection: sqlite3.Connection, articles: Sequence[int]) -> list[int]:
    """The rows of the chunks of these articles, hidden or not."""
    query = f"SELECT number FROM main.chunks WHERE article IN {LISTED}"
    return [number for (number,) in connection.execute(query, (listed(articles),))]


def listed(rows: Iterable[object]) -> str:
    return json.dumps(list(rows))


def article_of(row: tuple[object, ...], tags: tuple[str, ...]) -> Article:
    _, id, title, summary, featured, views, updated, type, category, source_url, markdown, audience = row
    return Article(
        id=str(id),
        title=str(title),
        summary=str(summary),
        tags=tags,
        featured=bool(featured),
        views=int(str(views)),
        updated=date.fromisoformat(str(updated)) if updated else None,
        type=str(type),
        category=str(category),
        source_url=str(source_url) if source_url else None,
        markdown=str(markdown),
        audience=tuple(json.loads(str(audience))),
    )


def chunk_of(article_id: str, start: int, end: int, heading: str, context: str, quotables: str) -> Chunk:
    spans = tuple(Quotable(*span) for span in json.loads(quotables))
    return Chunk(article_id, start, end, tuple(json.loads(heading)), context, spans)
