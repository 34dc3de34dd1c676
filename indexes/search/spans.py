"""The vectors of the context line and the quotables of each chunk, in 8 bits, mapped from disk.

They are read for the candidates of a question alone, so nothing here is loaded when a snapshot is opened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from indexes.files import mapped, save_array, save_blocks
from indexes.types import Chunks, SpanMatrix

VECTORS = "span_vectors.npy"
OFFSETS = "span_offsets.npy"
FILES = (VECTORS, OFFSETS)


class SpanVectors:
    """The vectors of row r, which is a chunk: its context line's, then one for each quotable in the chunk's order."""

    def __init__(self, vectors: SpanMatrix, offsets: Chunks) -> None:
        """Those of row r are `vectors[offsets[r]:offsets[r + 1]]`. Raises ValueError where the two do not agree."""
        if vectors.ndim != 2 or vectors.dtype != np.int8 or offsets[0] != 0 or offsets[-1] != len(vectors):
            raise ValueError("the offsets of the span vectors do not fit them")
        self._vectors = vectors
        self._offsets = offsets
        self.count = len(offsets) - 1  # of chunks
        self.total = len(vectors)
        self.dimension = int(vectors.shape[1])  # 0 where the model gives none

    @classmethod
    def open(cls, folder: Path) -> SpanVectors:
        return cls(mapped(folder / VECTORS), mapped(folder / OFFSETS))

    def of(self, rows: Chunks) -> list[SpanMatrix]:
        """For each chunk its vectors, copied."""
        offsets = self._offsets
        return [self._vectors[offsets[row] : offsets[row + 1]].copy() for row in rows]

    def counts(self, rows: Chunks) -> Chunks:
        """How many vectors each chunk has."""
        return np.asarray(self._offsets[rows + 1] - self._offsets[rows], dtype=np.int64)

    def blocks(self, rows: Chunks) -> Iterator[SpanMatrix]:
        """The vectors of the chunks in these rows, ascending, one run of neighbours after another."""
        if not len(rows):
            return
        breaks = np.flatnonzero(np.diff(rows) != 1) + 1
        for first, end in pairwise([0, *breaks.tolist(), len(rows)]):
            yield self._vectors[self._offsets[rows[first]] : self._offsets[rows[end - 1] + 1]]


def save_spans(folder: Path, blocks: Iterable[SpanMatrix], counts: Chunks, dimension: int) -> None:
    """Write the vectors that come block by block, of chunks that have so many each.

    Raises ValueError if others come, OSError where a file cannot be written whole.
    """
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts, dtype=np.int64)])
    save_array(folder / OFFSETS, offsets)
    save_blocks(folder / VECTORS, blocks, (int(offsets[-1]), dimension), np.dtype(np.int8))
