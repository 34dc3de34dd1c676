"""The article table of a snapshot: articles, chunks and tags in one read-only SQLite file."""

from __future__ import annotations

import json
import math
import threading
import weakref
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
from cachetools import LRUCache

from indexes.search.row_map import RowMap
from indexes.snapshots.article_rows import COLUMNS, LISTED, article_of, chunk_of, chunks_of_rows, listed, opened
from indexes.types import (
    Article,
    ArticleSummary,
    Audience,
    Category,
    ChunkMask,
    Chunks,
    Filter,
    Heading,
    IndexedArticle,
    Listing,
    Sort,
    StoredChunk,
)

_MASKS = 128  # remembered, a byte a chunk each
_ORDER: dict[Sort, str] = {
    "featured": "featured DESC, updated DESC, title COLLATE NOCASE, row",
    "newest": "updated DESC, featured DESC, title COLLATE NOCASE, row",
    "views": "views DESC, featured DESC, title COLLATE NOCASE, row",
    "title": "title COLLATE NOCASE, row",
}


class ArticleTable:
    """Reads the written table, or a view of it in which some articles are hidden.

    One connection serves all threads: SQLite is built serialised. `ids` has the articles in stored order; the number of
    one among them, and the number of a chunk among those of all, are its row in the table unless some are hidden.
    """

    def __init__(self, path: Path, hidden: Sequence[int] = ()) -> None:
        """Articles in rows `hidden` are not there."""
        self.path, self._hidden = path, tuple(hidden)
        self._db = connection = opened(path, hidden)
        stored = connection.execute("SELECT row, id, chunk_count FROM articles ORDER BY row").fetchall()
        self._article_rows = [int(row) for row, _, _ in stored]
        self._number_of_row = {row: number for number, row in enumerate(self._article_rows)}
        self._ids = [str(id) for _, id, _ in stored]
        counts = [int(count) for _, _, count in stored]
        hidden_chunks = np.array(chunks_of_rows(connection, hidden) if hidden else [], dtype=np.int64)
        self.row_map = RowMap(sum(counts) + len(hidden_chunks), hidden_chunks)
        self._owner: npt.NDArray[np.int64] = np.repeat(np.arange(len(counts)), counts)
        self._fenced = np.concatenate(([-1], self._owner, [-1]))  # so that the first and last chunk have neighbours
        self._numbers = {id: number for number, id in enumerate(self._ids)}
        self._numbers_by_tag = self._articles_by_tag()
        self.rarity = self._rarity_of_tags()  # how much sharing a tag says, from 0 (all have it) to 1
        self._tags_of = self._tags_by_article()
        self._tag_names = {tag.casefold(): tag for tag in self._numbers_by_tag}
        self._masks: LRUCache[Filter, ChunkMask] = LRUCache(_MASKS)
        self._masking = threading.Lock()
        self._rows_for = self._restricted()
        self._restricted_ids = {
            self._ids[self._number_of_row[row]]: audience for audience, rows in self._rows_for.items() for row in rows
        }
        self._categories = self._used_categories()
        weakref.finalize(self, connection.close)  # with its last reader; nothing here may refer back to itself

    def without(self, audiences: Collection[Audience]) -> ArticleTable:
        """The table as if articles for these audiences had never been written."""
        hidden = [row for audience in audiences for row in self._rows_for.get(audience, ())]
        return ArticleTable(self.path, (*self._hidden, *hidden))

    def audience_of(self, article_id: str) -> Audience:
        """The groups that an article is for; none where it is for everyone, or not there."""
        return self._restricted_ids.get(article_id, ())

    @property
    def audiences(self) -> Collection[Audience]:
        """Every audience that an article is restricted to."""
        return self._rows_for.keys()

    def close(self) -> None:
        self._db.close()

    @property
    def chunk_count(self) -> int:
        return len(self._owner)

    def article(self, article_id: str) -> Article | None:
        rows = self._db.execute(f"SELECT {COLUMNS} FROM articles WHERE id = ?", (article_id,)).fetchall()
        return self._articles(rows)[0] if rows else None

    def indexed(self, article_id: str) -> IndexedArticle | None:
        """An article with its headings and chunks, as it was ingested."""
        article = self.article(article_id)
        if article is None:
            return None
        row, fingerprint = self._db.execute(
            "SELECT row, fingerprint FROM articles WHERE id = ?", (article_id,)
        ).fetchone()
        chunks = self._db.execute(
            'SELECT start, "end", heading, context, quotables FROM chunks WHERE article = ? ORDER BY number', (row,)
        )
        return IndexedArticle(
            article, self.headings(article_id), tuple(chunk_of(article_id, *c) for c in chunks), fingerprint
        )

    def headings(self, article_id: str) -> tuple[Heading, ...]:
        row = self._db.execute("SELECT headings FROM articles WHERE id = ?", (article_id,)).fetchone()
        return tuple(Heading(*heading) for heading in json.loads(row[0])) if row else ()

    def chunks(self, numbers: Sequence[int]) -> list[StoredChunk]:
        """The chunks with these numbers, in the order asked for."""
        wanted = self.row_map.rows(np.array(numbers, dtype=np.int64)).tolist()
        rows = self._db.execute(
            f'SELECT number, article, start, "end", heading, context, quotables FROM chunks WHERE number IN {LISTED}',
            (listed(wanted),),
        ).fetchall()
        owners = {row[1] for row in rows}
        owning = self._db.execute(f"SELECT {COLUMNS} FROM articles WHERE row IN {LISTED}", (listed(owners),)).fetchall()
        articles = dict(zip((row[0] for row in owning), self._articles(owning), strict=True))
        stored = {row[0]: (articles[row[1]], chunk_of(articles[row[1]].id, *row[2:])) for row in rows}
        return [StoredChunk(number, *stored[row]) for number, row in zip(numbers, wanted, strict=True)]

    def chunks_of(self, article_id: str) -> list[int]:
        """The numbers of an article's chunks, in reading order."""
        number = self._numbers.get(article_id, len(self._ids))
        first, end = np.searchsorted(self._owner, [number, number + 1])
        return list(range(int(first), int(end)))

    def numbers_of(self, digests: Iterable[str]) -> dict[str, int]:
        """Content digest → number of a chunk with that content, for those that are stored."""
        rows = dict(self._db.execute(f"SELECT digest, number FROM chunks WHERE digest IN {LISTED}", (listed(digests),)))
        numbers = self.row_map.chunks(np.array(list(rows.values()), dtype=np.int64))
        return dict(zip(rows, numbers.tolist(), strict=True))

    @property
    def whole(self) -> bool:
        """Whether nothing is hidden."""
        return not self._hidden

    def rows(self) -> Chunks:
        """Where each article stands in the written table, shape (articles,)."""
        return np.array(self._article_rows, dtype=np.int64)

    def chunk_counts(self) -> Chunks:
        """How many chunks each article has, shape (articles,)."""
        return np.bincount(self._owner, minlength=len(self._ids))

    def owners(self, chunks: Sequence[int]) -> list[str]:
        """The id of the article each chunk belongs to."""
        return [self._ids[int(self._owner[chunk])] for chunk in chunks]

    def around(self, chunks: Chunks) -> Chunks:
        """Shape (3, len(chunks)): the chunk before each in its article, the chunk, the one after; -1 for none."""
        owner = self._fenced
        before = np.where(owner[chunks] == owner[chunks + 1], chunks - 1, -1)
        after = np.where(owner[chunks + 2] == owner[chunks + 1], chunks + 1, -1)
        return np.stack([before, chunks, after])

    def article_numbers(self, chunks: Chunks) -> Chunks:
        """Where the article of each chunk stands among `ids`."""
        return np.asarray(self._owner[chunks], dtype=np.int64)

    def fingerprints(self) -> dict[str, str]:
        """Article id → digest of its source, to see what changed; in stored order."""
        return dict(self._db.execute("SELECT id, fingerprint FROM articles ORDER BY row"))

    def categories_of(self) -> dict[str, str]:
        """Article id → the name of its category."""
        return dict(self._db.execute("SELECT id, category FROM articles"))

    def listing(
        self, filter: Filter = Filter(), *, sort: Sort = "featured", limit: int = 50, offset: int = 0
    ) -> Listing:
        """Articles whose tags pass `filter`."""
        numbers = self._passing(filter)
        page = self._db.execute(
            f"SELECT {COLUMNS} FROM articles WHERE row IN {LISTED} ORDER BY {_ORDER[sort]} LIMIT ? OFFSET ?",
            (listed(self._article_rows[number] for number in numbers), limit, offset),
        ).fetchall()
        return Listing(tuple(self._articles(page)), len(numbers))

    def tag_counts(self, filter: Filter = Filter()) -> list[tuple[str, int]]:
        """Tags of the articles that pass `filter` with how many carry each, most frequent first."""
        passing = set(self._passing(filter))
        counts = [(tag, len(passing.intersection(numbers))) for tag, numbers in self._numbers_by_tag.items()]
        return sorted((c for c in counts if c[1]), key=lambda c: (-c[1], c[0].casefold()))

    def listed(self) -> list[ArticleSummary]:
        """Every article without its Markdown, in stored order."""
        rows = self._db.execute(
            "SELECT id, title, summary, featured, views, updated, type, category, source_url FROM articles ORDER BY row"
        )
        return [
            ArticleSummary(
                id,
                title,
                summary,
                self.tags_of(id),
                bool(featured),
                views,
                date.fromisoformat(updated) if updated else None,
                type,
                category,
                source_url or None,
            )
            for id, title, summary, featured, views, updated, type, category, source_url in rows
        ]

    def tag_name(self, tag: str) -> str | None:
        """The tag as it is stored, whatever its case in `tag`; None if no article carries it."""
        return self._tag_names.get(tag.strip().casefold())

    def tags(self) -> list[str]:
        return list(self._numbers_by_tag)

    def tags_of(self, article_id: str) -> tuple[str, ...]:
        return self._tags_of.get(article_id, ())

    def number_of(self, article_id: str) -> int:
        """Where an article stands among `ids`. Raises KeyError for an unknown one."""
        return self._numbers[article_id]

    def ids(self) -> list[str]:
        """Every article's id, in stored order."""
        return self._ids

    def categories(self) -> list[Category]:
        """The categories that articles are in, in the order of their first ones."""
        return self._categories

    def _used_categories(self) -> list[Category]:
        rows = self._db.execute("SELECT name, description, site_label, site_url FROM categories")
        known = {category.name: category for category in (Category(*row) for row in rows)}
        used = self._db.execute("SELECT category FROM articles GROUP BY category ORDER BY min(row)")
        return [known[name] for (name,) in used]

    def mask(self, filter: Filter) -> ChunkMask | None:
        """Which chunks `filter` lets through; None when it lets all through."""
        if not filter.tags:
            return None
        with self._masking:
            mask = self._masks.get(filter)
            if mask is None:
                mask = self._masks[filter] = self._mask(filter)
            return mask

    def _mask(self, filter: Filter) -> ChunkMask:
        allowed = np.zeros(len(self._ids), dtype=np.bool_)
        allowed[list(self._tagged(filter))] = True
        return np.asarray(allowed[self._owner], dtype=np.bool_)

    def _tagged(self, filter: Filter) -> set[int]:
        sets: list[set[int]] = [set(self._numbers_by_tag.get(self.tag_name(tag) or "", ())) for tag in filter.tags]
        return set.union(*sets) if filter.mode == "any" else set.intersection(*sets)

    def _passing(self, filter: Filter) -> list[int]:
        return sorted(self._tagged(filter)) if filter.tags else list(range(len(self._ids)))

    def _articles(self, rows: Sequence[tuple[object, ...]]) -> list[Article]:
        return [article_of(row, self.tags_of(str(row[1]))) for row in rows]

    def _articles_by_tag(self) -> dict[str, list[int]]:
        numbers: dict[str, list[int]] = {}
        for tag, row in self._db.execute("SELECT tag, article FROM tags ORDER BY tag, article"):
            numbers.setdefault(tag, []).append(self._number_of_row[row])
        return numbers

    def _restricted(self) -> dict[Audience, list[int]]:
        """Audience → rows of its articles; those for everyone are left out."""
        rows: dict[Audience, list[int]] = {}
        for row, audience in self._db.execute("SELECT row, audience FROM articles WHERE audience != '[]' ORDER BY row"):
            rows.setdefault(tuple(json.loads(audience)), []).append(row)
        return rows

    def _rarity_of_tags(self) -> dict[str, float]:
        total = max(2, len(self._ids))
        return {tag: math.log(total / len(numbers)) / math.log(total) for tag, numbers in self._numbers_by_tag.items()}

    def _tags_by_article(self) -> dict[str, tuple[str, ...]]:
        tags: dict[str, list[str]] = {}
        for row, tag in self._db.execute("SELECT article, tag FROM tags ORDER BY article, position"):
            tags.setdefault(self._ids[self._number_of_row[row]], []).append(tag)
        return {id: tuple(own) for id, own in tags.items()}
