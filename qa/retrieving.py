"""A standalone question to ranked passages: keyword and vector rankings under one filter, fused."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

import numpy as np

from indexes.analysis import informative_terms, terms
from indexes.fusion import reciprocal_rank_fusion
from indexes.snapshot import Snapshot
from indexes.types import ChunkMask, Filter, FloatMatrix, FloatVector, Hit
from qa.types import Passage, Standalone

log = logging.getLogger(__name__)

DEPTH = 200  # hits taken from each ranking; the answer to nearly every question is among the first 50
_REMEMBERED = 512  # question vectors


class QuestionEmbedder(Protocol):
    """Turns a question into a matrix of one row."""

    def embed_question(self, text: str) -> FloatMatrix: ...


@dataclass(frozen=True, slots=True)
class Retrieved:
    """`ranking` holds every candidate, best first; `passages` the first few of them, with their text."""

    ranking: tuple[Hit, ...]
    passages: tuple[Passage, ...]
    degraded: tuple[str, ...]


class Retriever:
    """Finds passages in a snapshot. Without an embedder, or when it fails, keyword search alone answers."""

    def __init__(self, embedder: QuestionEmbedder | None) -> None:
        self._embedder = embedder
        self._vectors: OrderedDict[str, FloatVector] = OrderedDict()
        self._lock = Lock()

    def retrieve(self, snapshot: Snapshot, question: Standalone, filter: Filter, limit: int) -> Retrieved:
        mask = snapshot.articles.mask(filter)
        vectors = [self._vector(probe.text) for probe in question.probes]
        keyword = [self._by_keyword(snapshot, probe.text, mask) for probe in question.probes]
        vector = [snapshot.vectors.search(v, DEPTH, mask) if v is not None else [] for v in vectors]
        weights = [probe.weight for probe in question.probes]
        ranking = reciprocal_rank_fusion(zip([*keyword, *vector], [*weights, *weights], strict=True))
        return Retrieved(
            ranking=tuple(ranking),
            passages=_passages(snapshot, ranking[:limit], vectors[-1]),
            degraded=() if vectors[0] is not None else ("vectors",),
        )

    def _by_keyword(self, snapshot: Snapshot, text: str, mask: ChunkMask | None) -> list[Hit]:
        asked = informative_terms(text) or terms(text)
        return snapshot.keywords.search(dict.fromkeys(asked, 1.0), DEPTH, mask)

    def _vector(self, text: str) -> FloatVector | None:
        if self._embedder is None:
            return None
        with self._lock:
            if text in self._vectors:
                self._vectors.move_to_end(text)
                return self._vectors[text]
        try:
            vector: FloatVector = self._embedder.embed_question(text)[0]
        except Exception:  # whatever the model's runtime raises: a keyword answer, marked degraded, beats none
            log.exception("the question could not be embedded; answering from keywords alone")
            return None
        with self._lock:
            self._vectors[text] = vector
            if len(self._vectors) > _REMEMBERED:
                self._vectors.popitem(last=False)
        return vector


def _passages(snapshot: Snapshot, hits: Sequence[Hit], vector: FloatVector | None) -> tuple[Passage, ...]:
    stored = snapshot.articles.chunks([hit.chunk for hit in hits])
    numbers = np.array([hit.chunk for hit in hits], dtype=np.int64)
    similarities = snapshot.vectors.rows(numbers) @ vector if vector is not None else None
    return tuple(
        Passage(
            chunk=hit.chunk,
            article=entry.article,
            heading=entry.chunk.heading,
            context=entry.chunk.context,
            start=entry.chunk.start,
            end=entry.chunk.end,
            quotables=entry.chunk.quotables,
            score=hit.score,
            similarity=None if similarities is None else float(similarities[place]),
        )
        for place, (hit, entry) in enumerate(zip(hits, stored, strict=True))
    )
