"""The vector index: exact inner product over unit vectors with FAISS, filtered inside the search."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np

from indexes.types import ChunkMask, Chunks, FloatMatrix, FloatVector, Hit


class VectorIndex:
    """One row a chunk, in chunk order. Immutable once built; safe to search from many threads."""

    def __init__(self, index: faiss.Index) -> None:
        self._index = index

    @classmethod
    def build(cls, vectors: FloatMatrix) -> VectorIndex:
        """`vectors` has shape (chunks, dimension), float32, rows of unit length."""
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(np.ascontiguousarray(vectors, dtype=np.float32))
        return cls(index)

    @classmethod
    def open(cls, path: Path) -> VectorIndex:
        """Read a verified file (FAISS itself does not notice damage: see `Snapshot.open`)."""
        faiss.omp_set_num_threads(1)  # one thread a question: two OpenMP pools slow each other down
        return cls(faiss.read_index(str(path)))

    def save(self, path: Path) -> None:
        faiss.write_index(self._index, str(path))

    @property
    def count(self) -> int:
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        return int(self._index.d)

    def search(self, vector: FloatVector, limit: int, mask: ChunkMask | None = None) -> list[Hit]:
        """The `limit` chunks most similar to `vector` (cosine, best first) among those `mask` allows."""
        if self.count == 0 or limit < 1:
            return []
        # FAISS pads short results with label -1: never ask for more than there is.
        allowed = self.count if mask is None else int(mask.sum())
        if allowed == 0:
            return []
        scores, rows = self._index.search(vector[None, :], min(limit, allowed), params=_selecting(mask))
        return [Hit(int(row), float(score)) for row, score in zip(rows[0], scores[0], strict=True) if row >= 0]

    def rows(self, chunks: Chunks) -> FloatMatrix:
        """The stored vectors of `chunks`, shape (len(chunks), dimension)."""
        if len(chunks) == 0:
            return np.zeros((0, self.dimension), dtype=np.float32)
        return np.asarray(self._index.reconstruct_batch(chunks), dtype=np.float32)


def _selecting(mask: ChunkMask | None) -> faiss.SearchParameters | None:
    if mask is None:
        return None
    bitmap = np.packbits(mask, bitorder="little")
    # FAISS's stubs describe the C++ signatures, not those of its Python wrapper.
    return faiss.SearchParameters(sel=faiss.IDSelectorBitmap(bitmap))  # type: ignore[call-arg, arg-type]
