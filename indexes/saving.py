"""Writing files so that a full disk is an error.

`np.save` and `faiss.write_index`, given a path, both ignore that the last write fails as they close the file: a file
that is cut off would be hashed and published as it is (found by tests/faults, R2). Python's own files raise.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt


class _Stream:
    """All that NumPy may know of a file: it writes past a real one, in C."""

    def __init__(self, write: Callable[[Any], int]) -> None:
        self.write = write


def save_array(path: Path, values: npt.NDArray[Any]) -> None:
    """An .npy file. Raises OSError where it cannot be written whole."""
    with path.open("wb") as file:
        np.lib.format.write_array(_Stream(file.write), values, allow_pickle=False)


def save_index(path: Path, index: faiss.Index) -> None:
    """A FAISS index. Raises OSError where it cannot be written whole."""
    with path.open("wb") as file:
        faiss.write_index(index, faiss.PyCallbackIOWriter(file.write))  # type: ignore[attr-defined]
