"""Which stored rows are the chunks of a snapshot, and under which numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from indexes.types import ChunkMask, Chunks


class RowMap:
    """Chunks are numbered from 0 without gaps; rows are where they are stored.

    A chunk that was replaced or removed leaves a dead row behind until the segment is written anew. Without dead rows
    both numbers are the same.
    """

    def __init__(self, total: int, dead: Chunks) -> None:
        """`total` rows are stored; those in `dead` are no chunks any more."""
        self.total = total
        self.count = total - len(dead)
        self.alive: ChunkMask | None = None  # (total,), True where a row is a chunk; None where all are
        self._rows: Chunks | None = None
        if len(dead):
            self.alive = np.ones(total, dtype=np.bool_)
            self.alive[dead] = False
            self._rows = np.flatnonzero(self.alive)

    def rows(self, chunks: Chunks) -> Chunks:
        return chunks if self._rows is None else self._rows[chunks]

    def chunks(self, rows: Chunks) -> Chunks:
        """The numbers of the chunks in these rows, none of them dead."""
        return rows if self._rows is None else np.searchsorted(self._rows, rows)

    def of_chunks(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The entries of an array over rows that belong to chunks, in chunk order."""
        return values if self._rows is None else values[self._rows]

    def allowed(self, mask: ChunkMask | None) -> ChunkMask | None:
        """A mask over chunks as one over rows; dead rows are never allowed."""
        if mask is None or self._rows is None:
            return self.alive if mask is None else mask
        allowed = np.zeros(self.total, dtype=np.bool_)
        allowed[self._rows] = mask
        return allowed
