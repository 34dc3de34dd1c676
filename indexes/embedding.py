"""Text to vectors. ONNX Runtime serves; sentence-transformers is the reference and the exporter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from indexes.errors import ModelUnavailable
from indexes.models import META_FILE, MODEL_FILE, TOKENIZER_FILE, ModelSource, find_model
from indexes.snapshot import file_digest
from indexes.types import FloatMatrix

_BATCH = 16  # larger batches are no faster on a CPU and use more memory


class OnnxEmbedder:
    """Embeds with an exported model. Safe to share between threads."""

    def __init__(self, session: onnxruntime.InferenceSession, tokenizer: Tokenizer, meta: dict[str, Any]) -> None:
        self._session = session
        self._tokenizer = tokenizer
        self._inputs: list[str] = meta["inputs"]
        self._question_prompt: str = meta["question_prompt"]
        self._passage_prompt: str = meta["passage_prompt"]
        self.id: str = meta["id"]
        self.dimension: int = meta["dimension"]
        self.max_tokens: int = meta["max_tokens"]

    @classmethod
    def open(cls, folder: Path, threads: int) -> OnnxEmbedder:
        """Verify the hashes recorded at export and load. Raises ModelUnavailable."""
        try:
            meta = json.loads((folder / META_FILE).read_text(encoding="utf-8"))
            for name, key in ((MODEL_FILE, "model_sha256"), (TOKENIZER_FILE, "tokenizer_sha256")):
                if file_digest(folder / name) != meta[key]:
                    raise ModelUnavailable(f"{folder / name} is damaged: delete the folder {folder} and ingest again.")
            tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
            tokenizer.enable_truncation(meta["max_tokens"])
            tokenizer.enable_padding(pad_id=meta["pad_id"], pad_token=meta["pad_token"])
            return cls(_session(folder / MODEL_FILE, threads), tokenizer, meta)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ModelUnavailable(
                f"The exported model in {folder} cannot be loaded ({error}): delete that folder and ingest again."
            ) from error

    def embed_question(self, text: str) -> FloatMatrix:
        """The vector of a question, shape (1, dimension)."""
        return self._embed([self._question_prompt + text])

    def embed_passages(self, texts: Sequence[str], done: Callable[[int], None] = lambda count: None) -> FloatMatrix:
        """Vectors of `texts`, shape (len(texts), dimension), in order. `done` hears of each batch's size."""
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        for places, batch in self.passage_batches(texts):
            vectors[places] = batch
            done(len(places))
        return vectors

    def passage_batches(self, texts: Sequence[str]) -> Iterator[tuple[list[int], FloatMatrix]]:
        """Embed in batches of like length, so that little is padding; yields (places in `texts`, vectors)."""
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        for start in range(0, len(order), _BATCH):
            places = order[start : start + _BATCH]
            yield places, self._embed([self._passage_prompt + texts[place] for place in places])

    def truncated(self, texts: Sequence[str]) -> int:
        """How many of `texts` the model does not read to their end."""
        encodings = self._tokenizer.encode_batch([self._passage_prompt + text for text in texts])
        return sum(1 for encoding in encodings if encoding.overflowing)

    def _embed(self, texts: list[str]) -> FloatMatrix:
        encodings = self._tokenizer.encode_batch(texts)
        available = {
            "input_ids": lambda e: e.ids,
            "attention_mask": lambda e: e.attention_mask,
            "token_type_ids": lambda e: e.type_ids,
        }
        feed = {name: np.array([available[name](e) for e in encodings], dtype=np.int64) for name in self._inputs}
        vectors = np.asarray(self._session.run(["vector"], feed)[0], dtype=np.float32)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(norms, 1e-12), dtype=np.float32)


def load_embedder(model: str, models: Path, threads: int = 1) -> OnnxEmbedder:
    """Open the model called `model`, exporting it into the folder `models` the first time it is used.

    The export takes some 15 seconds and runs in a process of its own, so that torch never stays in this one.
    """
    source = find_model(model)
    folder = models / source.id
    if not (folder / META_FILE).exists():
        _export(source, folder)
    return OnnxEmbedder.open(folder, threads)


def _export(source: ModelSource, folder: Path) -> None:
    print(f"Preparing the embedding model {source.name} (once, about 15 s) …", file=sys.stderr, flush=True)
    command = [sys.executable, "-P", "-m", "indexes.onnx_export", str(source.folder), source.id, str(folder)]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    finished = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if finished.returncode != 0:
        reason = (finished.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ModelUnavailable(f"The model in {source.folder} could not be exported to ONNX: {reason}")


def _session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
