"""Arrays that stay on disk, mapped into memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


def mapped(path: Path) -> npt.NDArray[Any]:
    """The array in an .npy file, read as it is looked at.

    Seen as a plain array: one that knows it is mapped takes two microseconds longer to cut anything from, fifty times a
    question.
    """
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
