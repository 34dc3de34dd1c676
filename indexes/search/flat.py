"""The stored vectors: a FAISS flat index over inner products, mapped from disk."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from indexes.files import save_index
from indexes.types import ChunkMask, Chunks, FloatMatrix, FloatVector


class FlatVectors:
    """One vector a row. Safe to search from many threads."""

    def __init__(self, index: Any) -> None:
        """`index` is a `faiss.IndexFlatIP`."""
        self._index = index
        self.count, self.dimension = int(index.ntotal), int(index.d)
        # Whole rows as items: 45 bytes of header leave the mapped numbers unaligned, and NumPy gathers unaligned
        # floats one by one. FAISS's own `reconstruct_batch` starts threads from 1,000 rows on.
        self._rows = _numbers(index).view(np.dtype((np.void, 4 * self.dimension)))[:, 0]

    @classmethod
    def build(cls, blocks: Iterable[FloatMatrix], rows: int, dimension: int) -> FlatVectors:
        """`rows` vectors of unit length, float32, that come block by block. Raises ValueError if others come."""
        index: Any = faiss.IndexFlatIP(dimension)
        index.codes.resize(4 * rows * dimension)  # at once: `add` would double its memory as it grows
        index.ntotal = rows
        numbers, row = _numbers(index), 0
        for block in blocks:
            numbers[row : row + len(block)] = block
            row += len(block)
        if row != rows:
            raise ValueError(f"{row} vectors came for {rows} rows")
        return cls(index)

    @classmethod
    def open(cls, path: Path) -> FlatVectors:
        """Map a verified file (FAISS itself does not notice damage: see `Snapshot.open`)."""
        return cls(faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC))

    def save(self, path: Path) -> None:
        save_index(path, self._index)

    def search(self, vector: FloatVector, limit: int, allowed: ChunkMask | None) -> Chunks:
        """The `limit` rows most similar to `vector`, best first, among those allowed; fewer where there are no more."""
        parameters = None if allowed is None else faiss.SearchParameters(sel=selector(allowed))  # type: ignore[call-arg]
        rows = self._index.search(vector[None, :], limit, params=parameters)[1][0]
        return np.asarray(rows[rows >= 0], dtype=np.int64)  # FAISS pads short results with -1

    def rows(self, rows: Chunks | slice) -> FloatMatrix:
        """These rows, shape (rows, dimension): a copy of single ones, a view of a slice."""
        stored = self._rows[rows] if isinstance(rows, slice) else self._rows.take(rows)
        return np.ascontiguousarray(stored).view(np.float32).reshape(-1, self.dimension)


def selector(allowed: ChunkMask) -> faiss.IDSelectorBitmap:
    """What tells FAISS which rows may be returned."""
    bitmap = np.packbits(allowed, bitorder="little")
    # FAISS's stubs describe the C++ signature, not that of its Python wrapper, which also keeps `bitmap` alive.
    return faiss.IDSelectorBitmap(bitmap)  # type: ignore[call-arg, arg-type]


def _numbers(index: Any) -> FloatMatrix:
    """The vectors of a flat index where they lie, shape (rows, dimension)."""
    shape = (int(index.ntotal), int(index.d))
    if not index.ntotal:
        return np.zeros(shape, dtype=np.float32)
    return np.asarray(faiss.rev_swig_ptr(index.get_xb(), shape[0] * shape[1]).reshape(shape))
