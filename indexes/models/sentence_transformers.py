"""sentence-transformers itself, for models that cannot be exported. Importing this module does not load torch."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from indexes.errors import ModelUnavailable
from indexes.types import EmbeddedBatch, FloatMatrix

_BATCH = 32  # passages handed on together


class ReferenceEmbedder:
    """Embeds with sentence-transformers, one text at a time, so that a vector depends on its text alone."""

    def __init__(self, model: Any, id: str) -> None:
        self._model = model
        self._lock = Lock()  # its tokenisers are not safe to share between threads
        self.id = id
        self.dimension: int = model.get_embedding_dimension()

    @classmethod
    def open(cls, folder: Path, id: str, threads: int) -> ReferenceEmbedder:
        """Load the model on the CPU. Raises ModelUnavailable."""
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        try:
            import torch
            from sentence_transformers import SentenceTransformer

            torch.set_num_threads(threads)
            return cls(SentenceTransformer(str(folder), device="cpu"), id)
        except (ImportError, OSError, ValueError, RuntimeError, AttributeError, KeyError) as error:
            raise ModelUnavailable(f"sentence-transformers cannot load the model in {folder}: {error}") from error

    def embed_question(self, text: str) -> FloatMatrix:
        """The vector of a question, shape (1, dimension)."""
        with self._lock:
            return _rows(self._model.encode_query([text], **_QUIETLY))

    def embed_passages(self, texts: Sequence[str]) -> FloatMatrix:
        """Vectors of `texts`, shape (len(texts), dimension), in order."""
        empty = np.empty((0, self.dimension), dtype=np.float32)
        return np.concatenate([empty, *(batch.vectors for batch in self.passage_batches(texts))])

    def passage_batches(self, texts: Sequence[str]) -> Iterator[EmbeddedBatch]:
        """Embed `texts` in order, some at a time. Truncated ones are not counted here."""
        for start in range(0, len(texts), _BATCH):
            with self._lock:
                vectors = self._model.encode_document(list(texts[start : start + _BATCH]), **_QUIETLY)
            yield EmbeddedBatch(_rows(vectors), truncated=0)


_QUIETLY = {"batch_size": 1, "normalize_embeddings": True, "show_progress_bar": False}


def _rows(vectors: Any) -> FloatMatrix:
    return np.asarray(vectors, dtype=np.float32)
