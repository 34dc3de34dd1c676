"""Writing one segment: articles carried over from a snapshot as they are, then new ones."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import numpy as np

from indexes.search.ivf import IvfIndex
from indexes.search.postings import IntArray, Postings, merged
from indexes.snapshots.article_writing import ArticleWriter, Carried, Move
from indexes.snapshots.segment import ARTICLE_VECTORS, ARTICLES, CELLS, VECTORS
from indexes.snapshots.snapshot import Snapshot
from indexes.types import Category, Chunks, FloatMatrix, IndexedArticle, keyword_text

_BLOCK = 50_000  # vectors copied at a time


@dataclass(frozen=True, slots=True)
class Contents:
    """What a segment is to hold. `places` are articles of `previous` that are carried over, in order.

    `articles` are new, and iterated over twice; `vectors` has one row a chunk of theirs. Rows in the article table are
    counted from `first_article` and `first_chunk` on.
    """

    articles: Iterable[IndexedArticle]
    vectors: FloatMatrix
    categories: Sequence[Category]
    previous: Snapshot | None = None
    places: Chunks = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    first_article: int = 0
    first_chunk: int = 0


def write_segment(folder: Path, contents: Contents) -> tuple[int, int]:
    """Write all files of a segment into an empty folder. Returns how many articles and chunks it holds."""
    chunks = _carried_chunks(contents)
    counts = _write_articles(folder / ARTICLES, contents)
    if sum(counts) != len(contents.vectors):
        raise ValueError(f"{sum(counts)} chunks came with {len(contents.vectors)} vectors")
    _save(folder / ARTICLE_VECTORS, _article_vectors(contents, counts), len(contents.places) + len(counts))
    _save(folder / VECTORS, _vectors(contents, chunks), len(chunks) + len(contents.vectors))
    _postings(contents, chunks).save(folder)
    if IvfIndex.pay_off(len(chunks) + len(contents.vectors)):
        vectors = np.load(folder / VECTORS, mmap_mode="r", allow_pickle=False)
        IvfIndex.build(vectors, threads=os.cpu_count() or 1).save(folder / CELLS)
    return len(contents.places) + len(counts), len(chunks) + len(contents.vectors)


def _carried_chunks(contents: Contents) -> Chunks:
    """The numbers in `previous` of the chunks that are carried over, in order."""
    if contents.previous is None:
        return np.zeros(0, dtype=np.int64)
    counts = contents.previous.articles.chunk_counts()
    kept = np.zeros(len(counts), dtype=np.bool_)
    kept[contents.places] = True
    return np.flatnonzero(np.repeat(kept, counts))


def _write_articles(path: Path, contents: Contents) -> list[int]:
    """Returns how many chunks each new article has."""
    writer = ArticleWriter(path, contents.categories)
    try:
        row, chunk = contents.first_article, contents.first_chunk
        for carried in _moves(contents):
            writer.carry(carried)
            row += len(carried.moves)
        chunk += len(_carried_chunks(contents))
        counts = []
        for entry in contents.articles:
            writer.add(row, chunk, entry)
            counts.append(len(entry.chunks))
            row, chunk = row + 1, chunk + len(entry.chunks)
        writer.finish()
        return counts
    finally:
        writer.close()


def _moves(contents: Contents) -> Iterator[Carried]:
    """Where each carried article comes from and goes, by the table it lies in."""
    if contents.previous is None or len(contents.places) == 0:
        return
    table = contents.previous.articles
    counts, rows = table.chunk_counts(), table.rows()
    firsts = table.numbering.rows(np.minimum(np.cumsum(counts) - counts, table.chunk_count - 1))
    targets = contents.first_chunk + np.cumsum(counts[contents.places]) - counts[contents.places]
    moves: list[Move] = [
        (int(rows[place]), contents.first_article + number, int(firsts[place]), int(targets[number]))
        for number, place in enumerate(contents.places.tolist())
    ]
    base, *recent = contents.previous.segments
    for in_base, group in groupby(moves, key=lambda move: move[0] < len(base.article_vectors)):
        yield Carried(base.table if in_base else recent[0].table, list(group))


def _article_vectors(contents: Contents, counts: Sequence[int]) -> Iterator[FloatMatrix]:
    """The unit mean of each article's chunk vectors."""
    if contents.previous is not None:
        yield contents.previous.article_vectors[contents.places]
    if counts:
        sums = np.add.reduceat(contents.vectors, np.cumsum([0, *counts])[:-1], axis=0)
        yield sums / np.linalg.norm(sums, axis=1, keepdims=True)


def _vectors(contents: Contents, chunks: Chunks) -> Iterator[FloatMatrix]:
    if contents.previous is not None:
        for start in range(0, len(chunks), _BLOCK):
            yield contents.previous.vectors.rows(chunks[start : start + _BLOCK])
    for start in range(0, max(1, len(contents.vectors)), _BLOCK):
        yield contents.vectors[start : start + _BLOCK]


def _postings(contents: Contents, chunks: Chunks) -> Postings:
    new = Postings.build(_texts(contents.articles))
    if contents.previous is None or len(chunks) == 0:
        return new
    parts = [*_renumbered(contents.previous, chunks), (new, np.arange(len(new.lengths)) + len(chunks))]
    return merged(parts)


def _renumbered(previous: Snapshot, chunks: Chunks) -> Iterator[tuple[Postings, IntArray]]:
    """The postings of each segment with the new number of each of its rows; -1 where it is not carried over."""
    numbering = previous.articles.numbering
    numbers = np.full(numbering.total, -1, dtype=np.int64)
    numbers[numbering.rows(chunks)] = np.arange(len(chunks))
    start = 0
    for segment in previous.segments:
        own = numbers[start : start + segment.rows]
        start += segment.rows
        if (own >= 0).any():
            yield segment.postings, own


def _texts(articles: Iterable[IndexedArticle]) -> Iterator[str]:
    for entry in articles:
        for chunk in entry.chunks:
            yield keyword_text(entry.article, chunk)


def _save(path: Path, blocks: Iterable[FloatMatrix], rows: int) -> None:
    """An .npy file of `rows` rows, written block by block. (A mapped file would meet a full disk with a signal.)"""
    with path.open("wb") as file:
        for place, block in enumerate(blocks):
            if place == 0:
                header = {"descr": "<f4", "fortran_order": False, "shape": (rows, block.shape[1])}
                np.lib.format.write_array_header_1_0(file, header)
            file.write(np.ascontiguousarray(block, dtype="<f4").data)
