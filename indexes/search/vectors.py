"""The vector index: inner product over unit vectors, exact or with exact re-scoring, filtered inside the search."""

from __future__ import annotations

import faiss
import numpy as np
import numpy.typing as npt

from indexes.search.flat import FlatVectors
from indexes.search.ivf import IvfIndex
from indexes.search.row_map import RowMap
from indexes.types import ChunkMask, Chunks, FloatMatrix, FloatVector, Hit

EXACT = 50_000  # rows that a filter may leave for each of them to be scored: docs/decisions/vector-index.md
_SPARSE = 50  # where a filter leaves fewer than one row in so many, scoring them costs less than FAISS's walk past all


class VectorIndex:
    """FAISS names candidates and the stored vectors score them. Safe to search from many threads.

    A filter that leaves few chunks is searched exactly, whatever the size of the index: an approximate search under it
    would lose matches.
    """

    def __init__(self, flat: FlatVectors, row_map: RowMap, ivf: IvfIndex | None = None, exact: int = EXACT) -> None:
        """A search among no more than `exact` chunks is exact, even where there is an `ivf` over the rows of `flat`."""
        faiss.omp_set_num_threads(1)  # one thread a question: two OpenMP pools slow each other down
        self._flat = flat
        self._row_map = row_map
        self._ivf = ivf
        self._exact = exact

    @classmethod
    def build(cls, vectors: FloatMatrix) -> VectorIndex:
        """An index in memory that is searched exactly; `vectors` has unit rows, shape (chunks, dimension)."""
        return cls(FlatVectors.build([vectors], *vectors.shape), RowMap(len(vectors)))

    @property
    def count(self) -> int:
        return self._row_map.count

    @property
    def dimension(self) -> int:
        return self._flat.dimension

    def search(self, vector: FloatVector, limit: int, mask: ChunkMask | None = None) -> list[Hit]:
        """The `limit` chunks most similar to `vector` (cosine, best first) among those `mask` allows."""
        chunks, scores = self.nearest(vector, limit, mask)
        return [Hit(int(chunk), float(score)) for chunk, score in zip(chunks, scores, strict=True)]

    def nearest(
        self, vector: FloatVector, limit: int, mask: ChunkMask | None = None
    ) -> tuple[Chunks, npt.NDArray[np.float32]]:
        """`search` as (chunks, scores), for one who looks at hundreds and keeps a few."""
        rows = self._candidates(vector, limit, mask)
        scores = products(self._flat.rows(rows), vector)
        order = np.lexsort((rows, -scores))[:limit]
        return self._row_map.chunks(rows[order]), scores[order]

    def rows(self, chunks: Chunks) -> FloatMatrix:
        """The stored vectors of `chunks`, shape (len(chunks), dimension)."""
        return self._flat.rows(self._row_map.rows(chunks))

    def _candidates(self, vector: FloatVector, limit: int, mask: ChunkMask | None) -> Chunks:
        """Rows among which the best `limit` are."""
        allowed = self._row_map.allowed(mask)
        left = self.count if mask is None else int(np.count_nonzero(mask))
        if limit < 1:
            return np.zeros(0, dtype=np.int64)
        if left <= max(limit, self._row_map.total // _SPARSE):
            return np.arange(left) if allowed is None else np.flatnonzero(allowed)
        if self._ivf is not None and left > self._exact:
            rows = self._ivf.search(vector, limit, allowed, left / self._row_map.total)
            if len(rows) >= limit:  # otherwise the lists looked into held too few of the allowed ones
                return rows
        return self._flat.search(vector, limit, allowed)


def products(vectors: FloatMatrix, vector: FloatVector) -> npt.NDArray[np.float32]:
    """The inner product of each row with `vector`, shape (rows,).

    On one thread. NumPy's own product starts a second from some 1,200 rows on, and where the other cores have work,
    each of the two waits for the other at full speed: a millisecond instead of thirty microseconds.
    """
    return np.asarray(np.einsum("ij,j->i", vectors, vector), dtype=np.float32)
