"""The approximate vector index of a large KB: an inverted file with 8 bits a dimension, which names candidates."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from faiss.contrib.inspect_tools import get_invlist

from indexes.files import save_index
from indexes.search.flat import FlatVectors, selector
from indexes.types import ChunkMask, Chunks, FloatVector

_FROM = 100_000  # rows from which exact search takes longer than a question should: docs/decisions/vector-index.md
_PROBED = 48  # lists looked into
_SPARE = 2  # times as many candidates as are wanted, for the stored vectors to choose from
_ROUNDS = 10  # of k-means, on this many vectors a list:
_SAMPLED = 64
_BLOCK = 50_000
_SEED = 7


class IvfIndex:
    """An inverted file over the rows of a flat index. Safe to search from many threads."""

    def __init__(self, index: Any) -> None:
        """`index` is a `faiss.IndexIVFScalarQuantizer`."""
        self._index = index

    @staticmethod
    def pays_off(rows: int) -> bool:
        """Whether so many rows are searched better through lists than one by one."""
        return rows > _FROM

    @classmethod
    def build(cls, vectors: FlatVectors) -> IvfIndex:
        """Train on a sample and add all vectors, on every core."""
        index: Any = faiss.index_factory(
            vectors.dimension, f"IVF{_lists(vectors.count)},SQ8", faiss.METRIC_INNER_PRODUCT
        )
        index.cp.niter, index.cp.max_points_per_centroid, index.cp.seed = _ROUNDS, _SAMPLED, _SEED
        size = min(vectors.count, index.nlist * _SAMPLED)
        sample = np.random.default_rng(_SEED).choice(vectors.count, size, replace=False)
        before = faiss.omp_get_max_threads()
        faiss.omp_set_num_threads(os.cpu_count() or 1)
        try:
            index.train(vectors.rows(np.sort(sample)))
            _add(index, vectors, 0)
        finally:
            faiss.omp_set_num_threads(before)
        return cls(index)

    def carries_over(self, rows: int, carried: int) -> bool:
        """Whether an index of `rows` rows, `carried` of them from this one, can do with the lists that are there."""
        return _lists(rows) == self._index.nlist and 2 * carried >= rows

    def carried_over(self, numbers: Chunks, vectors: FlatVectors) -> IvfIndex:
        """An index over `vectors` with the lists of this one: nothing is trained, and what is carried not encoded anew.

        `numbers` has the new number of each row of this index, -1 for one that is gone; the rows of `vectors` after
        the last of them are new.
        """
        old = self._index
        index: Any = faiss.IndexIVFScalarQuantizer(
            faiss.clone_index(old.quantizer), old.d, old.nlist, old.sq.qtype, old.metric_type, old.by_residual
        )
        faiss.copy_array_to_vector(faiss.vector_to_array(old.sq.trained), index.sq.trained)
        index.is_trained = True
        for number in range(old.nlist):
            rows, codes = get_invlist(old.invlists, number)
            stays = numbers[rows] >= 0
            rows, codes = numbers[rows[stays]], codes[stays]
            index.invlists.add_entries(number, len(rows), faiss.swig_ptr(rows), faiss.swig_ptr(codes))
        index.ntotal = int(np.count_nonzero(numbers >= 0))
        _add(index, vectors, index.ntotal)
        return IvfIndex(index)

    @classmethod
    def open(cls, path: Path) -> IvfIndex:
        """Map a verified file (FAISS itself does not notice damage: see `Snapshot.open`)."""
        return cls(faiss.read_index(str(path), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY))

    def save(self, path: Path) -> None:
        save_index(path, self._index)

    def search(self, vector: FloatVector, limit: int, allowed: ChunkMask | None, share: float) -> Chunks:
        """Candidates for the `limit` rows most similar to `vector`, among those allowed: a `share` of all rows.

        The smaller the share, the more lists are looked into.
        """
        probed = min(self._index.nlist, int(_PROBED / max(share, 0.01)))
        sel = None if allowed is None else selector(allowed)
        parameters = faiss.SearchParametersIVF(nprobe=probed, sel=sel)  # type: ignore[call-arg]
        rows = self._index.search(vector[None, :], min(_SPARE * limit, self._index.ntotal), params=parameters)[1][0]
        return np.asarray(rows[rows >= 0], dtype=np.int64)  # FAISS pads short results with -1


def _lists(rows: int) -> int:
    return int(2 ** round(np.log2(2 * np.sqrt(rows))))


def _add(index: Any, vectors: FlatVectors, first: int) -> None:
    """Add the vectors from row `first` on."""
    for start in range(first, vectors.count, _BLOCK):
        index.add(vectors.rows(slice(start, start + _BLOCK)))
