"""What cannot be written whole is an error, down to the last byte that is still in a buffer."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
import pytest

from indexes.files import save_array, save_index

FULL = Path("/dev/full")  # a device on which every write fails, as on a full disk

pytestmark = pytest.mark.skipif(not FULL.exists(), reason="needs Linux")


def index(count: int) -> faiss.Index:
    flat = faiss.IndexFlatIP(4)
    flat.add(np.arange(4 * count, dtype=np.float32).reshape(count, 4))
    return flat


@pytest.mark.parametrize("count", [0, 3, 100_000])
def test_a_full_disk_is_an_error(count: int) -> None:
    with pytest.raises(OSError, match="No space left"):
        save_array(FULL, np.zeros((count, 4), dtype=np.float32))
    with pytest.raises(OSError, match="No space left"):
        save_index(FULL, index(count))


@pytest.mark.parametrize(
    "values", [np.arange(100_000), np.zeros((0, 4), dtype=np.float32), np.array([1, 2], np.uint32)]
)
def test_an_array_is_read_as_it_was_saved_and_can_be_mapped(tmp_path: Path, values: np.ndarray) -> None:
    save_array(tmp_path / "a.npy", values)
    read = np.load(tmp_path / "a.npy", mmap_mode="r" if values.size else None)
    assert (read.dtype, read.tolist()) == (values.dtype, values.tolist())


def test_an_index_is_read_as_it_was_saved(tmp_path: Path) -> None:
    save_index(tmp_path / "i.faiss", index(3))
    assert faiss.read_index(str(tmp_path / "i.faiss")).reconstruct(2).tolist() == [8, 9, 10, 11]
