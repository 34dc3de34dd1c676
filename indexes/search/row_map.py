"""Maps the chunks that a viewer sees to the rows where they are stored."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from indexes.types import ChunkMask, Chunks


class RowMap:
    """Chunks are numbered from 0 without gaps; rows are where they are stored.

    The numbers differ only in a restricted view, in which the rows of hidden articles are no chunks.
    """

    def __init__(self, total: int, hidden: Chunks | None = None) -> None:
        """`total` rows are stored; those in `hidden` are no chunks."""
        self.total = total
        self.visible: ChunkMask | None = None  # (total,), True where a row is a chunk; None where all are
        self._rows: Chunks | None = None
        if hidden is not None and len(hidden):
            self.visible = np.ones(total, dtype=np.bool_)
            self.visible[hidden] = False
            self._rows = np.flatnonzero(self.visible)
        self.count = total if self._rows is None else len(self._rows)

    def rows(self, chunks: Chunks) -> Chunks:
        return chunks if self._rows is None else self._rows[chunks]

    def chunks(self, rows: Chunks) -> Chunks:
        """The numbers of the chunks in these rows, none of them hidden."""
        return rows if self._rows is None else np.searchsorted(self._rows, rows)

    def of_chunks(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The entries of an array over rows that belong to chunks, in chunk order."""
        return values if self._rows is None else values[self._rows]

    def allowed(self, mask: ChunkMask | None) -> ChunkMask | None:
        """A mask over chunks as one over rows; hidden rows are never allowed."""
        if mask is None or self._rows is None:
            return self.visible if mask is None else mask
        allowed = np.zeros(self.total, dtype=np.bool_)
        allowed[self._rows] = mask
        return allowed
