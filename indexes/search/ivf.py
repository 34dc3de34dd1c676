"""Cells of similar vectors, each vector in 8 bits a dimension: an approximate index that names candidates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import faiss
import numpy as np

from indexes.files import save_index
from indexes.types import ChunkMask, Chunks, FloatMatrix, FloatVector

_FROM = 100_000  # rows from which exact search takes longer than a question should: docs/decisions/vector-index.md
_PROBED = 48  # cells looked into
_SPARE = 2  # times as many candidates as are wanted, for the stored vectors to choose from
_ROUNDS = 10  # of k-means, on this many vectors a cell:
_SAMPLED = 64
_BLOCK = 50_000
_SEED = 7


class IvfIndex:
    """An inverted file over the rows of one segment. Safe to search from many threads."""

    def __init__(self, index: Any) -> None:
        self._index = index

    @staticmethod
    def pay_off(rows: int) -> bool:
        """Whether so many rows are searched better by cells than one by one."""
        return rows > _FROM

    @classmethod
    def build(cls, vectors: FloatMatrix, threads: int) -> IvfIndex:
        """`vectors` has shape (rows, dimension), float32, rows of unit length; they may be mapped from disk."""
        count, dimension = vectors.shape
        lists = 2 ** round(np.log2(2 * np.sqrt(count)))
        # A list holds SQ8 codes; the stored vectors are only read to re-score.
        index: Any = faiss.index_factory(dimension, f"IVF{lists},SQ8", faiss.METRIC_INNER_PRODUCT)
        index.cp.niter, index.cp.max_points_per_centroid, index.cp.seed = _ROUNDS, _SAMPLED, _SEED
        sample = np.random.default_rng(_SEED).choice(count, min(count, lists * _SAMPLED), replace=False)
        before = faiss.omp_get_max_threads()
        faiss.omp_set_num_threads(threads)
        try:
            index.train(vectors[np.sort(sample)])
            for start in range(0, count, _BLOCK):
                index.add(np.ascontiguousarray(vectors[start : start + _BLOCK]))
        finally:
            faiss.omp_set_num_threads(before)
        return cls(index)

    @classmethod
    def open(cls, path: Path) -> IvfIndex:
        """Map a verified file (FAISS itself does not notice damage: see `Snapshot.open`)."""
        return cls(faiss.read_index(str(path), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY))

    def save(self, path: Path) -> None:
        save_index(path, self._index)

    def search(self, vector: FloatVector, limit: int, allowed: ChunkMask | None, share: float) -> Chunks:
        """Candidates for the `limit` rows most similar to `vector`, among those allowed: a `share` of all rows.

        The smaller the share, the more cells are looked into.
        """
        probed = min(self._index.nlist, int(_PROBED / max(share, 0.01)))
        bitmap = None if allowed is None else np.packbits(allowed, bitorder="little")
        # FAISS's stubs describe the C++ signatures, not those of its Python wrapper.
        selector = None if bitmap is None else faiss.IDSelectorBitmap(bitmap)  # type: ignore[call-arg, arg-type]
        parameters = faiss.SearchParametersIVF(nprobe=probed, sel=selector)  # type: ignore[call-arg]
        found = self._index.search(vector[None, :], min(_SPARE * limit, self._index.ntotal), params=parameters)[1][0]
        return np.asarray(found[found >= 0], dtype=np.int64)  # FAISS pads short results with -1
