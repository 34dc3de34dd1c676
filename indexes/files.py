"""Files of an index: written whole or not at all, mapped into memory, hashed.

`np.save` and `faiss.write_index`, given a path, both ignore that the last write fails as they close the file: a file
that is cut off would be hashed and published as it is (found by tests/faults, R2). Python's own files raise.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

_READERS = 2  # threads that hash files: SHA-256 runs outside Python's lock


class _Stream:
    """All that NumPy may know of a file: it writes past a real one, in C."""

    def __init__(self, write: Callable[[Any], int]) -> None:
        self.write = write


def save_array(path: Path, values: npt.NDArray[Any]) -> None:
    """An .npy file. Raises OSError where it cannot be written whole."""
    with path.open("wb") as file:
        np.lib.format.write_array(_Stream(file.write), values, allow_pickle=False)


def save_blocks(path: Path, blocks: Iterable[npt.NDArray[Any]], shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """An .npy file of this shape whose rows come block by block, so that they need not be in memory together.

    Raises ValueError if others come, OSError where it cannot be written whole.
    """
    rows = 0
    with path.open("wb") as file:
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(_Stream(file.write), header)
        for block in blocks:
            if block.shape[1:] != shape[1:] or block.dtype != dtype:
                raise ValueError(f"rows of {block.shape[1:]} {block.dtype} came for {shape[1:]} {dtype}")
            rows += len(block)
            file.write(np.ascontiguousarray(block).data)
    if rows != shape[0]:
        raise ValueError(f"{rows} rows came for {shape[0]}")


def save_index(path: Path, index: faiss.Index) -> None:
    """A FAISS index. Raises OSError where it cannot be written whole."""
    with path.open("wb") as file:
        faiss.write_index(index, faiss.PyCallbackIOWriter(file.write))  # type: ignore[attr-defined]


def mapped(path: Path) -> npt.NDArray[Any]:
    """The array in an .npy file, read as it is looked at.

    Seen as a plain array: one that knows it is mapped takes two microseconds longer to cut anything from, fifty times a
    question.
    """
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def seal(fields: Mapping[str, object]) -> str:
    """The SHA-256 of a manifest's fields, in whatever order and spacing they stand."""
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_digests(paths: Iterable[Path]) -> Iterator[str | OSError]:
    """The digest of each file, or why it cannot be read; two files at a time."""
    with ThreadPoolExecutor(_READERS) as pool:
        yield from pool.map(_digest_or_error, paths)


def _digest_or_error(path: Path) -> str | OSError:
    try:
        return file_digest(path)
    except OSError as error:
        return error
