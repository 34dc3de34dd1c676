"""An adapter: small changes to the weights of a model, merged into them before it is exported.

An .npz with, for each parameter of the transformer that changes (named as in its `state_dict`), either `u:NAME`
(out, r) and `v:NAME` (r, in), which add their product (Hu et al. 2021, LoRA), or `d:NAME`, which is added as it is, in
float16. Other keys are for people.
"""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from indexes.errors import ModelUnavailable

NONE = "none"
BUNDLED_ADAPTER = "bundled"


@dataclass(frozen=True, slots=True)
class Adapter:
    """An adapter on this disk."""

    path: Path
    sha256: str

    @classmethod
    def find(cls, path: Path, sha256: str | None = None) -> Adapter:
        """The adapter in a file, whose bytes are those with `sha256` if it is given. Raises ModelUnavailable."""
        try:
            actual = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise ModelUnavailable(
                f"The adapter {path} cannot be read ({error.strerror}): set FOOTNOTE_ADAPTER to an .npz file, "
                f"{BUNDLED_ADAPTER} or {NONE}."
            ) from error
        if sha256 not in (None, actual):
            raise ModelUnavailable(
                f"The adapter {path} is not the published one (SHA-256 {actual}): reinstall Footnote, or set "
                f"FOOTNOTE_ADAPTER={NONE}."
            )
        return cls(path, actual)


def read_changes(adapter: Path, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, npt.NDArray[np.float32]]:
    """What a file adds to each parameter it names, of a model whose parameters have these `shapes`.

    Raises ModelUnavailable where the file cannot be read or is for another model.
    """
    try:
        with adapter.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = {key: file[key].astype(np.float32) for key in file.files if key[:2] in ("u:", "v:", "d:")}
    except (OSError, ValueError, TypeError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise _unfit(adapter, f"it cannot be read: {error}") from error
    changes = {name: _change(adapter, name, arrays) for name in dict.fromkeys(key[2:] for key in arrays)}
    for name, change in changes.items():
        if name not in shapes:
            raise _unfit(adapter, f"the model has no parameter {name}")
        if change.shape != shapes[name]:
            raise _unfit(adapter, f"{name} has the shape {shapes[name]}, not {change.shape}")
        if not np.isfinite(change).all():
            raise _unfit(adapter, f"its change of {name} is no number")
    if not changes:
        raise _unfit(adapter, "it changes nothing")
    return changes


def _change(adapter: Path, name: str, arrays: Mapping[str, npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    down, up, whole = (arrays.get(f"{kind}:{name}") for kind in "vud")
    if whole is not None and up is None and down is None:
        return whole
    if whole is not None or up is None or down is None:
        raise _unfit(adapter, f"it takes either u:{name} and v:{name}, or d:{name}")
    if not (up.ndim == down.ndim == 2 and up.shape[1] == down.shape[0]):
        raise _unfit(adapter, f"u:{name} {up.shape} and v:{name} {down.shape} cannot be multiplied")
    with np.errstate(invalid="ignore", over="ignore"):  # what is no number is refused by its caller
        return np.asarray(up @ down, dtype=np.float32)


def _unfit(adapter: Path, why: str) -> ModelUnavailable:
    return ModelUnavailable(
        f"The adapter {adapter} does not fit the model ({why}): set FOOTNOTE_ADAPTER to one made for it, or to {NONE}."
    )
