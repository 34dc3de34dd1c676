"""A standalone question to ranked passages: keyword and vector scores under one filter, fused."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol, overload

import numpy as np

from indexes.search.analysis import informative_terms, terms
from indexes.search.fusion import Scores, blended, convex, supported, with_neighbours
from indexes.search.keywords import best_chunks
from indexes.search.vectors import products
from indexes.snapshots.article_table import StoredChunk
from indexes.snapshots.snapshot import Snapshot
from indexes.types import ChunkMask, Chunks, Filter, FloatMatrix, FloatVector, Hit
from qa.observing import UNOBSERVED, Observer
from qa.per_snapshot_cache import PerSnapshotCache
from qa.stopwatch import Stopwatch
from qa.types import Passage, Probe, Standalone

log = logging.getLogger(__name__)

DEPTH = 200  # candidates from each index: docs/decisions/fusion.md
_REMEMBERED = 512  # question vectors
_KEPT = 1_000  # chunks, as they were read
_LONGEST_KEPT = 40_000  # characters of the article of one: 40 MB at most, some 5 as a rule
_NOWHERE = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32))
_DUPLICATE = 0.97  # cosine from which two chunks are taken for the same text: docs/decisions/fusion.md


@dataclass(frozen=True, slots=True)
class Weights:
    """How the scores of a chunk are put together. Chosen on the development sets: docs/decisions/fusion.md."""

    keyword_share: float = 0.5  # of keywords in the fused score; the rest is similarity
    neighbours: float = 0.5  # of the chunks around it, to its own one
    whole_article: float = 0.2  # of its article's similarity, to its own one
    support: float = 0.2  # of the best other chunk of its article, to its own score
    depth: int = DEPTH


class QuestionEmbedder(Protocol):
    """Turns a question into a matrix of one row."""

    def embed_question(self, text: str) -> FloatMatrix: ...


@dataclass(frozen=True, slots=True)
class _Searched:
    """A probe with its keyword score for every chunk, its vector (None without a model), and what each index finds."""

    weight: float
    keyword: Scores
    vector: FloatVector | None
    by_keyword: Chunks  # best first
    by_vector: Chunks
    similarity: float  # of the chunk closest to it


class RankedHits(Sequence[Hit]):
    """Hits, best first, each made when it is looked at: of some hundred candidates an answer needs the first few."""

    def __init__(self, chunks: Chunks, scores: Scores) -> None:
        self._chunks = chunks
        self._scores = scores

    def __len__(self) -> int:
        return len(self._chunks)

    @overload
    def __getitem__(self, place: int) -> Hit: ...
    @overload
    def __getitem__(self, place: slice) -> RankedHits: ...
    def __getitem__(self, place: int | slice) -> Hit | RankedHits:
        if isinstance(place, slice):
            return RankedHits(self._chunks[place], self._scores[place])
        return Hit(int(self._chunks[place]), float(self._scores[place]))


@dataclass(frozen=True, slots=True)
class Retrieved:
    """`ranking` holds every candidate, best first; `passages` the first few of them, with their text.

    `similarity` is the cosine of the question as asked to the chunk closest to it, None where the vectors were
    unavailable; `matched` the best keyword score for the standalone question, as a share of what is attainable.
    """

    ranking: Sequence[Hit]
    passages: tuple[Passage, ...]
    degraded: tuple[str, ...]
    similarity: float | None = None
    matched: float = 0.0
    spent: Mapping[str, float] = field(default_factory=dict)  # milliseconds by stage


class Retriever:
    """Finds passages in a snapshot. Without an embedder, or when it fails, keyword search alone answers."""

    def __init__(
        self, embedder: QuestionEmbedder | None, weights: Weights = Weights(), observer: Observer = UNOBSERVED
    ) -> None:
        self._embedder = embedder
        self._weights = weights
        self._observer = observer
        self._vectors: OrderedDict[str, FloatVector] = OrderedDict()
        self._stored: PerSnapshotCache[int, StoredChunk] = PerSnapshotCache(_KEPT)
        self._lock = Lock()

    def retrieve(self, snapshot: Snapshot, question: Standalone, filter: Filter, limit: int) -> Retrieved:
        """Every candidate of either index under `filter`, scored by both; the first `limit` as passages."""
        watch = Stopwatch(self._observer)
        mask = snapshot.articles.mask(filter)
        probes = [self._search(snapshot, probe, mask, watch) for probe in question.probes]
        with watch.stage("fusing"):
            candidates = _candidates(probes)
            scores = _scores(snapshot, probes, candidates, self._weights)
            order = np.lexsort((candidates, -scores))
            ranking = RankedHits(candidates[order], scores[order])
        first, whole = probes[0], probes[-1]
        with watch.stage("loading passages"):
            hits = distinct(snapshot, ranking, limit)
            passages = _passages(snapshot, hits, self._load(snapshot, [hit.chunk for hit in hits]), whole.vector)
        return Retrieved(
            ranking=ranking,
            passages=passages,
            degraded=() if whole.vector is not None else ("vectors",),
            similarity=None if first.vector is None else first.similarity,
            matched=float(whole.keyword[whole.by_keyword[0]]) if len(whole.by_keyword) else 0.0,
            spent=watch.spent,
        )

    def _search(self, snapshot: Snapshot, probe: Probe, mask: ChunkMask | None, watch: Stopwatch) -> _Searched:
        depth = self._weights.depth
        with watch.stage("keywords"):
            keyword = _keyword_scores(snapshot, probe.text)
            by_keyword = best_chunks(keyword, depth, mask)
        with watch.stage("embedding"):
            vector = self._vector(probe.text)
        with watch.stage("vectors"):
            by_vector, similarities = _NOWHERE if vector is None else snapshot.vectors.nearest(vector, depth, mask)
        similarity = float(similarities[0]) if len(similarities) else 0.0
        return _Searched(probe.weight, keyword, vector, by_keyword, by_vector, similarity)

    def _load(self, snapshot: Snapshot, numbers: Sequence[int]) -> list[StoredChunk]:
        """The chunks with these numbers, in order; read once where their articles are not too long to keep."""
        kept = self._stored.of(snapshot)
        found = {number: kept[number] for number in numbers if number in kept}
        others = [number for number in numbers if number not in found]
        for entry in snapshot.articles.chunks(others) if others else ():
            found[entry.number] = entry
            if len(entry.article.markdown) <= _LONGEST_KEPT:
                kept[entry.number] = entry
        return [found[number] for number in numbers]

    def _vector(self, text: str) -> FloatVector | None:
        if self._embedder is None:
            return None
        with self._lock:
            if text in self._vectors:
                self._vectors.move_to_end(text)
                self._observer.vector(remembered=True)
                return self._vectors[text]
        self._observer.vector(remembered=False)
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


def _keyword_scores(snapshot: Snapshot, text: str) -> Scores:
    """BM25 as a share of what a chunk full of every asked word would score, so that weak matches stay weak."""
    weights = dict.fromkeys(informative_terms(text) or terms(text), 1.0)
    attainable = snapshot.keywords.attainable(weights)
    return snapshot.keywords.scores(weights) / np.float32(attainable or 1.0)


def _candidates(probes: Sequence[_Searched]) -> Chunks:
    found = np.sort(np.concatenate([found for probe in probes for found in (probe.by_keyword, probe.by_vector)]))
    return found[np.diff(found, prepend=-1) > 0]


def _scores(snapshot: Snapshot, probes: Sequence[_Searched], candidates: Chunks, weights: Weights) -> Scores:
    """The fused score of each candidate: the mean of each probe's, by its weight."""
    around = snapshot.articles.around(candidates)
    missing = around < 0
    vectors = snapshot.vectors.rows(np.where(missing, 0, around).ravel())
    articles = snapshot.articles.places(candidates)
    whole = snapshot.article_vectors[articles]
    total = np.zeros(len(candidates), dtype=np.float32)
    for probe in probes:
        fused = with_neighbours(np.where(missing, np.nan, probe.keyword[around]), weights.neighbours)
        if probe.vector is not None:
            similarity = np.where(missing, np.nan, products(vectors, probe.vector).reshape(around.shape))
            own = with_neighbours(similarity, weights.neighbours)
            similar = blended(own, products(whole, probe.vector), weights.whole_article)
            fused = convex(fused, similar, weights.keyword_share)
        total += np.float32(probe.weight) * fused
    mean = np.asarray(total / np.float32(sum(probe.weight for probe in probes)), dtype=np.float32)
    return supported(mean, articles, weights.support)


def distinct(snapshot: Snapshot, ranking: Sequence[Hit], limit: int) -> list[Hit]:
    """The first `limit` hits that are not nearly the same text as a better one."""
    considered = list(ranking[: 3 * limit])
    vectors = snapshot.vectors.rows(np.array([hit.chunk for hit in considered], dtype=np.int64))
    kept: list[int] = []
    for place in range(len(considered)):
        if len(kept) == limit:
            break
        if not kept or products(vectors[kept], vectors[place]).max() < _DUPLICATE:
            kept.append(place)
    return [considered[place] for place in kept]


def _passages(
    snapshot: Snapshot, hits: Sequence[Hit], stored: Sequence[StoredChunk], vector: FloatVector | None
) -> tuple[Passage, ...]:
    numbers = np.array([hit.chunk for hit in hits], dtype=np.int64)
    similarities = products(snapshot.vectors.rows(numbers), vector) if vector is not None else None
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
