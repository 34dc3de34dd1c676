"""How do the tables of a snapshot become one, and their rows articles and chunks?"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from indexes.types import Article, Chunk, Quotable

COLUMNS = "row, id, title, summary, featured, views, updated, type, category, source_url, markdown, audience"
LISTED = "(SELECT value FROM json_each(?))"  # a list of any length as one parameter


def attached(base: Path, recent: Path | None, gone: Sequence[int]) -> sqlite3.Connection:
    """The tables of a snapshot, without rows in `gone`, as `articles`, `tags`, `chunks`, `categories`, `dead_chunks`.

    The recent tables hold what changed since the base was written, with rows counted on from those of the base.
    """
    connection = sqlite3.connect(":memory:", uri=True, check_same_thread=False)
    connection.execute("ATTACH ? AS base", (_readable(base),))
    connection.execute("CREATE TEMP TABLE gone (row INTEGER PRIMARY KEY)")
    connection.executemany("INSERT INTO gone VALUES (?)", ((int(row),) for row in gone))
    if recent is not None:
        connection.execute("ATTACH ? AS recent", (_readable(recent),))
    schemas = ["base"] if recent is None else ["base", "recent"]
    staying = "WHERE {row} NOT IN gone" if len(gone) else ""
    for table, row in (("articles", "row"), ("tags", "article"), ("chunks", "article")):
        parts = [f"SELECT * FROM {schema}.{table} {staying.format(row=row)}" for schema in schemas]
        connection.execute(f"CREATE TEMP VIEW {table} AS {' UNION ALL '.join(parts)}")
    connection.execute(f"CREATE TEMP VIEW categories AS SELECT * FROM {schemas[-1]}.categories")
    dead = [f"SELECT number FROM gone CROSS JOIN {schema}.chunks ON article = gone.row" for schema in schemas]
    connection.execute(f"CREATE TEMP VIEW dead_chunks AS {' UNION ALL '.join(dead)}")
    connection.commit()
    return connection


def _readable(path: Path) -> str:
    return f"{path.absolute().as_uri()}?mode=ro&immutable=1"


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
