"""Text to vectors. ONNX Runtime serves; sentence-transformers is the reference, the exporter and the last resort.

Every text is embedded alone, never padded beside others: the scales of dynamic int8 are taken over a whole batch, so in
a batch the vector of a text would depend on its neighbours. Several cores are used by several texts at once, each on
one thread (docs/decisions/embedding-runtime.md).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Encoding, Tokenizer

from indexes.errors import ModelUnavailable
from indexes.models.export_folder import MODEL_FILE, TOKENIZER_FILE
from indexes.models.exporting import SENTENCE_TRANSFORMERS, exported
from indexes.models.finding import Precision, find_model
from indexes.models.sentence_transformers import ReferenceEmbedder
from indexes.models.span_means import no_spans, span_means
from indexes.types import EmbeddedBatch, EmbeddedPassage, FloatMatrix, FloatVector, PassageText

_BATCH = 32  # passages handed on together: the unit of progress, and of what a stopped ingest may lose


class Embedder(Protocol):
    """What embeds passages at ingest and questions when serving. Safe to share between threads."""

    id: str
    dimension: int
    span_dimension: int  # 0 where a span has no vector in the space of those of passages

    def embed_question(self, text: str) -> FloatMatrix: ...

    def embed_passages(self, texts: Sequence[str]) -> FloatMatrix: ...

    def passage_batches(self, passages: Sequence[PassageText]) -> Iterator[EmbeddedBatch]: ...


@dataclass(frozen=True, slots=True)
class _Embedded:
    passage: EmbeddedPassage
    truncated: bool


class OnnxEmbedder:
    """Embeds with an exported model. Safe to share between threads; a text's vector depends on that text alone."""

    def __init__(
        self, session: onnxruntime.InferenceSession, tokenizer: Tokenizer, meta: dict[str, Any], workers: int
    ) -> None:
        self._session = session
        self._tokenizer = tokenizer
        self._workers = workers
        self._inputs: list[str] = meta["inputs"]
        self._question_prompt: str = meta["question_prompt"]
        self._passage_prompt: str = meta["passage_prompt"]
        self.id: str = meta["id"]
        self.dimension: int = meta["dimension"]
        self.span_dimension: int = meta["span_dimension"]
        self.max_tokens: int = meta["max_tokens"]

    @classmethod
    def open(cls, folder: Path, meta: dict[str, Any], workers: int) -> OnnxEmbedder:
        """Load an exported model, whose `meta` `read_meta` has given; `workers` passages are embedded at a time.

        Raises ModelUnavailable.
        """
        try:
            tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
            tokenizer.enable_truncation(meta["max_tokens"])
            tokenizer.no_padding()
            return cls(_session(folder / MODEL_FILE), tokenizer, meta, workers)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ModelUnavailable(
                f"The exported model in {folder} cannot be loaded ({error}): delete that folder, and run this again."
            ) from error

    def embed_question(self, text: str) -> FloatMatrix:
        """The vector of a question, shape (1, dimension)."""
        encoding = self._tokenizer.encode(self._question_prompt + text)
        return _unit(self._run(encoding, ["vector"])[0])[np.newaxis]

    def embed_passages(self, texts: Sequence[str]) -> FloatMatrix:
        """Vectors of `texts`, shape (len(texts), dimension), in order."""
        passages = [p for batch in self.passage_batches([PassageText(text) for text in texts]) for p in batch.passages]
        return np.array([passage.vector for passage in passages], dtype=np.float32).reshape(-1, self.dimension)

    def passage_batches(self, passages: Sequence[PassageText]) -> Iterator[EmbeddedBatch]:
        """Embed `passages` in order, some at a time; while one batch is dealt with, the next is being embedded."""
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="embedding")
        ahead: deque[list[Future[_Embedded]]] = deque()
        try:
            for start in range(0, len(passages), _BATCH):
                ahead.append([pool.submit(self._embed, passage) for passage in passages[start : start + _BATCH]])
                if len(ahead) > 1:
                    yield _gathered(ahead.popleft())
            while ahead:
                yield _gathered(ahead.popleft())
        finally:  # also where the reader stops early
            pool.shutdown(cancel_futures=True)

    def _embed(self, passage: PassageText) -> _Embedded:
        encoding = self._tokenizer.encode(self._passage_prompt + passage.text)
        truncated = bool(encoding.overflowing)
        if not self.span_dimension:
            vector = _unit(self._run(encoding, ["vector"])[0])
            return _Embedded(EmbeddedPassage(vector, no_spans(passage.spans)), truncated)
        pooled, states = self._run(encoding, ["vector", "states"])
        vector, shift = _unit(pooled), len(self._passage_prompt)
        spans = [(start + shift, end + shift) for start, end in passage.spans]
        return _Embedded(EmbeddedPassage(vector, span_means(states, encoding.offsets, spans, vector)), truncated)

    def _run(self, encoding: Encoding, outputs: Sequence[str]) -> list[npt.NDArray[np.float32]]:
        """These outputs of the graph for one text, without the axis of the batch."""
        available = {
            "input_ids": encoding.ids,
            "attention_mask": encoding.attention_mask,
            "token_type_ids": encoding.type_ids,
        }
        feed = {name: np.array([available[name]], dtype=np.int64) for name in self._inputs}
        return [np.asarray(output[0], dtype=np.float32) for output in self._session.run(outputs, feed)]


def _unit(vector: npt.NDArray[np.float32]) -> FloatVector:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12), dtype=np.float32)


def _gathered(futures: Sequence[Future[_Embedded]]) -> EmbeddedBatch:
    results = [future.result() for future in futures]
    return EmbeddedBatch(tuple(r.passage for r in results), sum(r.truncated for r in results))


def load_embedder(model: str, models: Path, precision: Precision, adapter: str, workers: int = 1) -> Embedder:
    """Open the model called `model`, exporting it into the folder `models` the first time it is used, or if it rots.

    `adapter`: `bundled`, `none` or a file, merged into it.

    The export takes some 20 seconds and runs in a process of its own, so that torch never stays in this one. A model
    that cannot be exported is served by sentence-transformers itself. Raises ModelUnavailable.
    """
    source = find_model(model, adapter)
    folder = models / source.embedder_id(precision)
    meta = exported(source, precision, folder)
    if meta["runtime"] == SENTENCE_TRANSFORMERS:
        return ReferenceEmbedder.open(source.folder, meta["id"], workers, source.adapter_path)
    return OnnxEmbedder.open(folder, meta, workers)


def _session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # a run stays on the thread that asked for it
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
