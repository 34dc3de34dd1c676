"""A standalone question to ranked passages: keyword and vector scores under one filter, fused."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol, overload

import numpy as np
from cachetools import LRUCache

from indexes.search.analysis import informative_terms, terms
from indexes.search.candidates import Candidates, ProbeScores, SearchProbe
from indexes.search.fusion import AroundScores, Scores, blended, convex, with_neighbours, with_sibling_support
from indexes.search.vectors import products
from indexes.types import Chunks, Filter, FloatMatrix, FloatVector, Hit, SpanMatrix, StoredChunk
from qa.corpus import Corpus
from qa.observing import UNOBSERVED, Observer
from qa.per_corpus_cache import PerCorpusCache
from qa.stopwatch import Stopwatch
from qa.types import Passage, Probe, Standalone

log = logging.getLogger(__name__)

DEPTH = 200  # candidates from each index: docs/decisions/fusion.md
READ = 30  # passages that are read for an answer
_CACHED_VECTORS = 512
_CACHED_CHUNKS = 1_000
_LONGEST_CACHED = 40_000  # characters of the article of a cached chunk: 40 MB at most, some 5 as a rule
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


class RankedHits(Sequence[Hit]):
    """Hits, best first, each made when it is looked at: of some hundred candidates an answer needs the first few."""

    def __init__(self, chunks: Chunks, scores: Scores) -> None:
        self._chunks = chunks
        self._scores = scores

    def __len__(self) -> int:
        return len(self._chunks)

    @overload
    def __getitem__(self, index: int) -> Hit: ...
    @overload
    def __getitem__(self, index: slice) -> RankedHits: ...
    def __getitem__(self, index: int | slice) -> Hit | RankedHits:
        if isinstance(index, slice):
            return RankedHits(self._chunks[index], self._scores[index])
        return Hit(int(self._chunks[index]), float(self._scores[index]))


@dataclass(frozen=True, slots=True)
class PassageSignals:
    """How a passage fits the question, figure by figure; keyword scores as shares of what is attainable.

    `around` is the mean over the chunk and its neighbours in the article. Cosines are None without vectors; those of
    the spans, its context line's first and then one a quotable, also where the index has none of them.
    """

    keyword: float
    keyword_around: float
    similarity: float | None
    similarity_around: float | None
    article_similarity: float | None
    spans: Scores | None


@dataclass(frozen=True, slots=True)
class Retrieved:
    """`ranking` holds every candidate, best first; `passages` the first few of them, with their text and signals."""

    ranking: Sequence[Hit]
    passages: tuple[Passage, ...]
    degraded: tuple[str, ...]
    signals: tuple[PassageSignals, ...] = ()  # one a passage
    spent: Mapping[str, float] = field(default_factory=dict)  # milliseconds by stage


class Retriever:
    """Finds passages in a corpus. Without an embedder, or when it fails, keyword search alone answers."""

    def __init__(
        self, embedder: QuestionEmbedder | None, weights: Weights = Weights(), observer: Observer = UNOBSERVED
    ) -> None:
        self._embedder = embedder
        self._weights = weights
        self._observer = observer
        self._vectors: LRUCache[str, FloatVector] = LRUCache(_CACHED_VECTORS)
        self._chunks: PerCorpusCache[int, StoredChunk] = PerCorpusCache(_CACHED_CHUNKS)
        self._lock = Lock()

    def retrieve(self, corpus: Corpus, question: Standalone, filter: Filter, limit: int) -> Retrieved:
        """Every candidate of either index under `filter`, scored by both; as passages the first `limit`, or as many
        as are read for an answer."""
        watch = Stopwatch(self._observer)
        with watch.stage("embedding"):
            probes = [self._search_probe(probe.text) for probe in question.probes]
        candidates = corpus.candidates(probes, filter, self._weights.depth)
        watch.record(candidates.spent)
        with watch.stage("fusing"):
            scores = fused(candidates, question.probes, self._weights)
            order = np.lexsort((candidates.chunks, -scores))
            ranking = RankedHits(candidates.chunks[order], scores[order])
        vector = probes[-1].vector
        with watch.stage("loading passages"):
            hits = distinct(corpus, ranking, max(limit, READ))
            passages = _passages(corpus, hits, self._load(corpus, [hit.chunk for hit in hits]), vector)
        return Retrieved(
            ranking=ranking,
            passages=passages,
            degraded=("vectors",) if any(probe.vector is None for probe in probes) else (),
            signals=_signals(corpus, candidates, question.probes, hits, vector),
            spent=watch.spent,
        )

    def _search_probe(self, text: str) -> SearchProbe:
        return SearchProbe(dict.fromkeys(informative_terms(text) or terms(text), 1.0), self._vector(text))

    def _load(self, corpus: Corpus, numbers: Sequence[int]) -> list[StoredChunk]:
        """The chunks with these numbers, in order; cached where their articles are not too long for it."""
        cached = self._chunks.of(corpus)
        loaded = {number: cached[number] for number in numbers if number in cached}
        others = [number for number in numbers if number not in loaded]
        for entry in corpus.chunks(others) if others else ():
            loaded[entry.number] = entry
            if len(entry.article.markdown) <= _LONGEST_CACHED:
                cached[entry.number] = entry
        return [loaded[number] for number in numbers]

    def _vector(self, text: str) -> FloatVector | None:
        if self._embedder is None:
            return None
        with self._lock:
            cached: FloatVector | None = self._vectors.get(text)
        self._observer.vector(remembered=cached is not None)
        if cached is not None:
            return cached
        try:
            vector: FloatVector = self._embedder.embed_question(text)[0]
        except Exception:  # whatever the model's runtime raises: a keyword answer, marked degraded, beats none
            log.exception("the question could not be embedded; answering from keywords alone")
            return None
        with self._lock:
            self._vectors[text] = vector
        return vector


def fused(candidates: Candidates, probes: Sequence[Probe], weights: Weights) -> Scores:
    """The score of each candidate: the mean of each probe's, by its weight."""
    total = np.zeros(len(candidates.chunks), dtype=np.float32)
    for probe, scores in zip(probes, candidates.probes, strict=True):
        total += np.float32(probe.weight) * _fused(scores, weights)
    mean = np.asarray(total / np.float32(sum(probe.weight for probe in probes)), dtype=np.float32)
    return with_sibling_support(mean, candidates.articles, weights.support)


def _fused(scores: ProbeScores, weights: Weights) -> Scores:
    keyword = with_neighbours(scores.keyword, weights.neighbours)
    if scores.similarity is None or scores.article_similarity is None:
        return keyword
    own = with_neighbours(scores.similarity, weights.neighbours)
    return convex(keyword, blended(own, scores.article_similarity, weights.whole_article), weights.keyword_share)


def distinct(corpus: Corpus, ranking: Sequence[Hit], limit: int) -> list[Hit]:
    """The first `limit` hits that are not nearly the same text as a better one."""
    considered = list(ranking[: 3 * limit])
    vectors = corpus.vectors_of(np.array([hit.chunk for hit in considered], dtype=np.int64))
    chosen: list[int] = []
    for index in range(len(considered)):
        if len(chosen) == limit:
            break
        if not chosen or products(vectors[chosen], vectors[index]).max() < _DUPLICATE:
            chosen.append(index)
    return [considered[index] for index in chosen]


def _passages(
    corpus: Corpus, hits: Sequence[Hit], stored: Sequence[StoredChunk], vector: FloatVector | None
) -> tuple[Passage, ...]:
    numbers = np.array([hit.chunk for hit in hits], dtype=np.int64)
    similarities = products(corpus.vectors_of(numbers), vector) if vector is not None else None
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
            similarity=None if similarities is None else float(similarities[index]),
        )
        for index, (hit, entry) in enumerate(zip(hits, stored, strict=True))
    )


def _signals(
    corpus: Corpus, candidates: Candidates, probes: Sequence[Probe], hits: Sequence[Hit], vector: FloatVector | None
) -> tuple[PassageSignals, ...]:
    """The signals of each hit: means over the probes by their weights; those of spans for the standalone question."""
    numbers = np.array([hit.chunk for hit in hits], dtype=np.int64)
    rows = np.searchsorted(candidates.chunks, numbers)
    weights = np.array([probe.weight for probe in probes], dtype=np.float32)
    weights /= weights.sum()
    keyword = [scores.keyword[:, rows] for scores in candidates.probes]
    similarity = [scores.similarity[:, rows] for scores in candidates.probes if scores.similarity is not None]
    whole = [scores.article_similarity[rows] for scores in candidates.probes if scores.article_similarity is not None]
    nothing: list[None] = [None] * len(hits)
    complete = len(similarity) == len(probes)
    spans = None if vector is None else corpus.span_vectors(numbers)
    columns = zip(
        _mean([k[1] for k in keyword], weights),
        _mean_around(keyword, weights),
        _mean([s[1] for s in similarity], weights) if complete else nothing,
        _mean_around(similarity, weights) if complete else nothing,
        _mean(whole, weights) if complete else nothing,
        nothing if spans is None or vector is None else _cosines(spans, vector),
        strict=True,
    )
    return tuple(PassageSignals(*figures) for figures in columns)


def _cosines(spans: Sequence[SpanMatrix], vector: FloatVector) -> list[Scores]:
    """For each matrix, the cosines of its rows. One product for all of them: one of ten rows is mostly the call."""
    if not spans:
        return []
    cosines = products(np.concatenate(spans).astype(np.float32), vector) / np.float32(127)
    return np.split(cosines, np.cumsum([len(own) for own in spans])[:-1])


def _mean(columns: Sequence[Scores], weights: Scores) -> list[float]:
    return [float(value) for value in np.einsum("pn,p->n", np.stack(columns), weights)]


def _mean_around(arounds: Sequence[AroundScores], weights: Scores) -> list[float]:
    return _mean([np.nanmean(around, axis=0) for around in arounds], weights)
