"""sentence-transformers itself, for models that cannot be exported. Importing this module does not load torch."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from indexes.errors import ModelUnavailable
from indexes.models.adapter import read_changes
from indexes.models.span_means import no_spans, span_means
from indexes.types import EmbeddedBatch, EmbeddedPassage, FloatMatrix, FloatVector, PassageText

_BATCH = 32  # passages handed on together


class ReferenceEmbedder:
    """Embeds with sentence-transformers, one text at a time, so that a vector depends on its text alone."""

    def __init__(self, model: Any, id: str) -> None:
        self._model = model
        self._lock = Lock()  # its tokenisers are not safe to share between threads
        self._prompt = passage_prompt(model)
        self.id = id
        self.dimension: int = model.get_embedding_dimension()
        self.span_dimension = span_dimension(model)

    @classmethod
    def open(cls, folder: Path, id: str, threads: int, adapter: Path | None) -> ReferenceEmbedder:
        """Load the model on the CPU. Raises ModelUnavailable."""
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        try:
            import torch

            torch.set_num_threads(threads)
            return cls(load_reference(folder, adapter), id)
        except (ImportError, OSError, ValueError, RuntimeError, AttributeError, KeyError) as error:
            raise ModelUnavailable(f"sentence-transformers cannot load the model in {folder}: {error}") from error

    def embed_question(self, text: str) -> FloatMatrix:
        """The vector of a question, shape (1, dimension)."""
        with self._lock:
            (output,) = self._model.encode_query([text], **_QUIETLY)
        return _unit(output)[np.newaxis]

    def embed_passages(self, texts: Sequence[str]) -> FloatMatrix:
        """Vectors of `texts`, shape (len(texts), dimension), in order."""
        passages = [
            passage for batch in self.passage_batches([PassageText(t) for t in texts]) for passage in batch.passages
        ]
        return np.array([passage.vector for passage in passages], dtype=np.float32).reshape(-1, self.dimension)

    def passage_batches(self, passages: Sequence[PassageText]) -> Iterator[EmbeddedBatch]:
        """Embed `passages` in order, some at a time. Truncated ones are not counted here."""
        for start in range(0, len(passages), _BATCH):
            with self._lock:
                yield EmbeddedBatch(tuple(map(self._embed, passages[start : start + _BATCH])), truncated=0)

    def _embed(self, passage: PassageText) -> EmbeddedPassage:
        (output,) = self._model.encode_document([passage.text], **_QUIETLY)
        vector = _unit(output)
        if not self.span_dimension:
            return EmbeddedPassage(vector, no_spans(passage.spans))
        text, longest = self._prompt + passage.text, self._model.max_seq_length
        tokens = self._model.tokenizer(text, truncation=True, max_length=longest, return_offsets_mapping=True)
        offsets = [(start - len(self._prompt), end - len(self._prompt)) for start, end in tokens["offset_mapping"]]
        return EmbeddedPassage(
            vector, span_means(output["token_embeddings"].float().numpy(), offsets, passage.spans, vector)
        )


_QUIETLY: dict[str, Any] = {"batch_size": 1, "output_value": None, "show_progress_bar": False}


def load_reference(folder: Path, adapter: Path | None, **settings: object) -> Any:
    """The model of sentence-transformers in `folder`, on the CPU, with an adapter merged into it.

    Raises ModelUnavailable for an adapter that does not fit, and what sentence-transformers raises.
    """
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu", **settings)
    if adapter is not None:
        _merge(adapter, getattr(model[0], "auto_model", None))
    return model


def _merge(adapter: Path, transformer: Any) -> None:
    """Add what the adapter changes to the weights; `transformer` is None where the model has none."""
    import torch

    state = {} if transformer is None else transformer.state_dict()
    weights = {name: tuple(values.shape) for name, values in state.items() if values.is_floating_point()}
    changes = read_changes(adapter, weights)
    with torch.no_grad():
        for name, change in changes.items():
            state[name] += torch.from_numpy(change)


def passage_prompt(model: Any) -> str:
    """What `encode_document` of the model puts before a passage."""
    known: dict[str, str] = model.prompts
    return next((known[name] for name in ("document", "passage", "corpus") if name in known), "")


def span_dimension(model: Any) -> int:
    """The size of a mean of token states; 0 where that is no vector in the space of the passages' vectors.

    So it is where a dense layer follows, or where several ways of pooling are put side by side.
    """
    transformer, *others = model
    dimension: int = model.get_embedding_dimension()
    same_space = (
        type(transformer).__name__ == "Transformer"
        and {type(module).__name__ for module in others} <= {"Pooling", "Normalize"}
        and transformer.get_embedding_dimension() == dimension
        and model.tokenizer.is_fast  # the others do not tell where in the text a token is
    )
    return dimension if same_space else 0


def _unit(output: Any) -> FloatVector:
    vector = output["sentence_embedding"].float().numpy()
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12), dtype=np.float32)
