"""Writes the files of a snapshot from a draft: what is carried over from the one before, then what is new."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import numpy as np

from indexes.files import file_digest, save_array
from indexes.search.flat import FlatVectors
from indexes.search.ivf import IvfIndex
from indexes.search.postings import Postings, merged
from indexes.search.spans import save_spans
from indexes.snapshots.article_writing import ArticleWriter, Move
from indexes.snapshots.snapshot import (
    ARTICLE_VECTORS,
    ARTICLES,
    FORMAT_VERSION,
    IVF,
    MANIFEST,
    VECTORS,
    Manifest,
    Snapshot,
)
from indexes.types import Category, Chunks, FloatMatrix, IndexedArticle, SpanMatrix, keyword_text

_BLOCK = 50_000  # vectors copied at a time


@dataclass(frozen=True, slots=True)
class Draft:
    """All that a snapshot is made from: new articles, and the ids of those `carried` over from the one before.

    `vectors` has one row a chunk, in the order of the new articles' chunks, and `spans` one matrix a chunk: its context
    line, then its quotables. `span_dimension` is 0 where the model gives no vectors of spans. A changed article is a
    new one.
    """

    articles: Iterable[IndexedArticle]  # iterated over several times
    categories: Sequence[Category]
    vectors: FloatMatrix
    spans: Iterable[SpanMatrix]  # iterated over once
    span_dimension: int
    embedder: str
    chunker: str
    sources: tuple[str, ...]
    changes: dict[str, int]
    carried: Collection[str] = frozenset()


def write_snapshot(folder: Path, generation: str, draft: Draft, previous: Snapshot | None = None) -> Manifest:
    """Write all files of a snapshot into an empty folder; what is carried over comes from `previous`, and comes first.

    Nothing is linked from the snapshot before: a damaged file must not take two snapshots with it. What copying costs:
    docs/decisions/incremental.md.
    """
    carried = _Carried.of(previous, draft.carried) if previous and draft.carried else None
    counts = _write_articles(folder / ARTICLES, draft, carried)
    if sum(counts) != len(draft.vectors):
        raise ValueError(f"{sum(counts)} chunks came with {len(draft.vectors)} vectors")
    article_vectors = _article_vectors(draft, carried, counts)
    save_array(folder / ARTICLE_VECTORS, article_vectors)
    chunks = _write_vectors(folder, draft, carried)
    _write_spans(folder, draft, carried)
    _postings(draft, carried).save(folder)
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        generation=generation,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        embedder=draft.embedder,
        dimension=int(draft.vectors.shape[1]),
        chunker=draft.chunker,
        sources=draft.sources,
        articles=len(article_vectors),
        chunks=chunks,
        changes=draft.changes,
        files={path.name: file_digest(path) for path in sorted(folder.iterdir())},
    )
    (folder / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
    return manifest


@dataclass(frozen=True, slots=True)
class _Carried:
    """What is taken over as it is stored."""

    snapshot: Snapshot
    articles: Chunks  # rows of the articles that stay
    chunk_counts: Chunks  # of each of them
    numbers: Chunks  # the new number of each chunk of `snapshot`, -1 for one that is gone
    chunks: Chunks  # the chunks that stay

    @classmethod
    def of(cls, snapshot: Snapshot, ids: Collection[str]) -> _Carried:
        stays = np.array([id in ids for id in snapshot.articles.ids()], dtype=np.bool_)
        counts = snapshot.articles.chunk_counts()
        chunk_stays = np.repeat(stays, counts)
        numbers = np.where(chunk_stays, np.cumsum(chunk_stays) - 1, -1)
        return cls(snapshot, np.flatnonzero(stays), counts[stays], numbers, np.flatnonzero(chunk_stays))

    def moves(self) -> Iterator[Move]:
        """Where the articles are, and where they go."""
        counts = self.snapshot.articles.chunk_counts()
        first = (np.cumsum(counts) - counts)[self.articles]
        shifts = np.cumsum(self.chunk_counts) - self.chunk_counts - first
        return zip(self.articles.tolist(), range(len(self.articles)), shifts.tolist(), strict=True)


def _write_articles(path: Path, draft: Draft, carried: _Carried | None) -> list[int]:
    """Returns how many chunks each new article has."""
    writer = ArticleWriter(path, draft.categories)
    try:
        row = chunk = 0
        if carried is not None:
            writer.carry(carried.snapshot.articles.path, carried.moves())
            row, chunk = len(carried.articles), len(carried.chunks)
        counts = []
        for entry in draft.articles:
            writer.add(row, chunk, entry)
            counts.append(len(entry.chunks))
            row, chunk = row + 1, chunk + len(entry.chunks)
        writer.finish()
        return counts
    finally:
        writer.close()


def _article_vectors(draft: Draft, carried: _Carried | None, counts: Sequence[int]) -> FloatMatrix:
    """The unit mean of each article's chunk vectors, shape (articles, dimension)."""
    parts = [np.zeros((0, draft.vectors.shape[1]), dtype=np.float32)]
    if carried is not None:
        parts.append(carried.snapshot.article_vectors[carried.articles])
    if counts:
        sums = np.add.reduceat(draft.vectors, np.cumsum([0, *counts])[:-1], axis=0)
        parts.append(sums / np.linalg.norm(sums, axis=1, keepdims=True))
    return np.concatenate(parts)


def _write_vectors(folder: Path, draft: Draft, carried: _Carried | None) -> int:
    """Returns how many there are."""
    carried_count = 0 if carried is None else len(carried.chunks)
    total = carried_count + len(draft.vectors)
    vectors = FlatVectors.build(_vectors(draft, carried), total, int(draft.vectors.shape[1]))
    vectors.save(folder / VECTORS)
    if IvfIndex.pays_off(total):
        ivf = None if carried is None else carried.snapshot.ivf
        if ivf is not None and carried is not None and ivf.carries_over(total, carried_count):
            ivf.carried_over(carried.numbers, vectors).save(folder / IVF)
        else:
            IvfIndex.build(vectors).save(folder / IVF)
    return total


def _vectors(draft: Draft, carried: _Carried | None) -> Iterator[FloatMatrix]:
    if carried is not None:
        for start in range(0, len(carried.chunks), _BLOCK):
            yield carried.snapshot.vectors.rows(carried.chunks[start : start + _BLOCK])
    yield draft.vectors


def _write_spans(folder: Path, draft: Draft, carried: _Carried | None) -> None:
    counts = [1 + len(chunk.quotables) for entry in draft.articles for chunk in entry.chunks]
    parts, blocks = [np.array(counts, dtype=np.int64)], draft.spans
    if carried is not None:
        stored = carried.snapshot.spans
        parts.insert(0, stored.counts(carried.chunks))
        blocks = chain(stored.blocks(carried.chunks), blocks)
    save_spans(folder, blocks, np.concatenate(parts), draft.span_dimension)


def _postings(draft: Draft, carried: _Carried | None) -> Postings:
    new = Postings.build(_texts(draft.articles))
    if carried is None:
        return new
    last = len(carried.chunks)
    return merged([(carried.snapshot.postings, carried.numbers), (new, np.arange(last, last + len(new.lengths)))])


def _texts(articles: Iterable[IndexedArticle]) -> Iterator[str]:
    for entry in articles:
        for chunk in entry.chunks:
            yield keyword_text(entry.article, chunk)
