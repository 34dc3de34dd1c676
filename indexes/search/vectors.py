"""The vector index: inner product over unit vectors, exact or with exact re-scoring, filtered inside the search."""

from __future__ import annotations

from collections.abc import Sequence

import faiss
import numpy as np
import numpy.typing as npt

from indexes.search.ivf import IvfIndex
from indexes.search.row_map import RowMap
from indexes.types import ChunkMask, Chunks, FloatMatrix, FloatVector, Hit

EXACT = 50_000  # rows that a filter may leave for each of them to be scored: docs/decisions/vector-index.md
_FEW = 0.25  # share of rows up to which gathering them costs less than scoring all
_BLOCK = 4096  # rows gathered at a time


class VectorIndex:
    """One row a stored chunk, segment after segment; the first may have cells. Safe to search from many threads.

    Where there are cells, they name candidates and the stored vectors score them. A filter that leaves few chunks is
    searched exactly, whatever the size of the index: an approximate search under it would lose matches.
    """

    def __init__(
        self, segments: Sequence[FloatMatrix], numbering: RowMap, cells: IvfIndex | None = None, exact: int = EXACT
    ) -> None:
        """`segments` have shape (rows, dimension), float32, rows of unit length; `cells` are over the first.

        A search among no more than `exact` chunks scores each of them.
        """
        faiss.omp_set_num_threads(1)  # one thread a question: two OpenMP pools slow each other down
        self._exact = exact
        self._segments = segments
        self._numbering = numbering
        self._cells = cells
        self._starts = np.cumsum([0, *(len(segment) for segment in segments)])

    @classmethod
    def build(cls, vectors: FloatMatrix) -> VectorIndex:
        """An index of one segment, searched exactly."""
        return cls([vectors], RowMap(len(vectors), np.zeros(0, dtype=np.int64)))

    @property
    def count(self) -> int:
        return self._numbering.count

    @property
    def dimension(self) -> int:
        return int(self._segments[0].shape[1])

    def search(self, vector: FloatVector, limit: int, mask: ChunkMask | None = None) -> list[Hit]:
        """The `limit` chunks most similar to `vector` (cosine, best first) among those `mask` allows."""
        chunks, scores = self.nearest(vector, limit, mask)
        return [Hit(int(chunk), float(score)) for chunk, score in zip(chunks, scores, strict=True)]

    def nearest(
        self, vector: FloatVector, limit: int, mask: ChunkMask | None = None
    ) -> tuple[Chunks, npt.NDArray[np.float32]]:
        """`search` as (chunks, scores), for one who looks at hundreds and keeps a few."""
        allowed = self._numbering.allowed(mask)
        left = self.count if mask is None else int(np.count_nonzero(mask))
        limit = min(limit, left)
        if limit < 1:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
        rows = self._candidates(vector, limit, allowed, left)
        scores = self._scores(vector, rows)
        order = np.lexsort((rows, -scores))[:limit]
        return self._numbering.chunks(rows[order]), scores[order]

    def rows(self, chunks: Chunks) -> FloatMatrix:
        """The stored vectors of `chunks`, shape (len(chunks), dimension)."""
        return self._stored(self._numbering.rows(chunks))

    def _candidates(self, vector: FloatVector, limit: int, allowed: ChunkMask | None, left: int) -> Chunks:
        """Rows among which the best `limit` are, at least as many as that."""
        found = [np.zeros(0, dtype=np.int64)]
        for place, (start, end) in enumerate(zip(self._starts[:-1], self._starts[1:], strict=True)):
            own = None if allowed is None else allowed[start:end]
            if place == 0 and self._cells is not None and left > self._exact:
                found.append(self._cells.search(vector, limit, own, left / self._numbering.total))
            else:
                found.append(start + _nearest(vector, limit, self._segments[place], own))
        rows = np.concatenate(found)
        if len(rows) < limit:  # the cells looked into held too few of the allowed ones
            return np.arange(self._numbering.total) if allowed is None else np.flatnonzero(allowed)
        return rows

    def _scores(self, vector: FloatVector, rows: Chunks) -> FloatVector:
        scores = np.empty(len(rows), dtype=np.float32)
        for start in range(0, len(rows), _BLOCK):
            block = slice(start, start + _BLOCK)
            scores[block] = products(self._stored(rows[block]), vector)
        return scores

    def _stored(self, rows: Chunks) -> FloatMatrix:
        if len(self._segments) == 1:
            return np.asarray(self._segments[0][rows], dtype=np.float32)
        owner = np.searchsorted(self._starts, rows, side="right") - 1
        stored = np.empty((len(rows), self.dimension), dtype=np.float32)
        for place, segment in enumerate(self._segments):
            own = owner == place
            stored[own] = segment[rows[own] - self._starts[place]]
        return stored


def _nearest(vector: FloatVector, limit: int, vectors: FloatMatrix, allowed: ChunkMask | None) -> Chunks:
    """Rows among which the best `limit` of the allowed ones are."""
    if allowed is None and len(vectors) > limit:
        found = faiss.knn(vector[None, :], vectors, limit, metric=faiss.METRIC_INNER_PRODUCT)[1][0]
        return np.asarray(found, dtype=np.int64)
    if allowed is None or np.count_nonzero(allowed) <= max(limit, _FEW * len(vectors)):
        return np.arange(len(vectors)) if allowed is None else np.flatnonzero(allowed)
    scores = np.where(allowed, products(vectors, vector), -np.inf)
    return np.argpartition(-scores, limit)[:limit]


def products(vectors: FloatMatrix, vector: FloatVector) -> npt.NDArray[np.float32]:
    """The inner product of each row with `vector`, shape (rows,).

    On one thread. NumPy's own product starts a second from some 1,200 rows on, and where the other cores have work,
    each of the two waits for the other at full speed: a millisecond instead of thirty microseconds.
    """
    return np.asarray(np.einsum("ij,j->i", vectors, vector), dtype=np.float32)
