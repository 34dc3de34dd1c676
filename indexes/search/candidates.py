"""Candidates of a hybrid search: the chunks that either index names under a filter, each scored by both."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from indexes.search.fusion import AroundScores, Scores
from indexes.search.keywords import KeywordIndex, best_chunks
from indexes.search.vectors import VectorIndex, products
from indexes.types import ChunkMask, Chunks, FloatMatrix, FloatVector

_NO_HITS = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32))


@dataclass(frozen=True, slots=True)
class SearchProbe:
    """One text to search for: its weighted terms, and its vector (None without an embedding model)."""

    terms: Mapping[str, float]
    vector: FloatVector | None


@dataclass(frozen=True, slots=True)
class ProbeScores:
    """How well each candidate fits one probe: one column a candidate, in the order of `Candidates.chunks`.

    Keyword scores are BM25 as a share of what a chunk full of the probe's terms would score, so that weak matches stay
    weak; similarities are cosines. Both are given for the chunk and its neighbours in the article.
    """

    keyword: AroundScores
    similarity: AroundScores | None  # None without a vector
    article_similarity: Scores | None  # of the article as a whole
    best_keyword: float  # of all chunks under the filter; 0.0 where no term occurs
    best_similarity: float  # likewise; 0.0 without a vector


@dataclass(frozen=True, slots=True)
class Candidates:
    """The union of what the indexes name for several probes, each candidate scored for every probe."""

    chunks: Chunks  # (candidates,), ascending
    articles: Chunks  # (candidates,), equal for chunks of one article
    probes: tuple[ProbeScores, ...]
    spent: Mapping[str, float]  # seconds by stage: keywords, vectors, scoring


class ChunkLayout(Protocol):
    """Which chunks stand beside each other, and in which article."""

    def around(self, chunks: Chunks) -> Chunks: ...

    def article_numbers(self, chunks: Chunks) -> Chunks: ...


@dataclass(frozen=True, slots=True)
class _Ranked:
    """What one probe finds: its keyword score for every chunk, and the chunks that each index ranks first."""

    probe: SearchProbe
    keyword: Scores
    by_keyword: Chunks
    by_vector: Chunks
    best_similarity: float


class HybridSearch:
    """Searches a keyword and a vector index over the same chunks."""

    def __init__(
        self, keywords: KeywordIndex, vectors: VectorIndex, layout: ChunkLayout, article_vectors: FloatMatrix
    ) -> None:
        self._keywords = keywords
        self._vectors = vectors
        self._layout = layout
        self._article_vectors = article_vectors

    def candidates(self, probes: Sequence[SearchProbe], depth: int, mask: ChunkMask | None) -> Candidates:
        """The first `depth` chunks of each index for each probe, among those that `mask` allows."""
        spent: dict[str, float] = dict.fromkeys(("keywords", "vectors", "scoring"), 0.0)
        ranked = [self._ranked(probe, depth, mask, spent) for probe in probes]
        started = time.perf_counter()
        chunks = _union([hits for one in ranked for hits in (one.by_keyword, one.by_vector)])
        around = self._layout.around(chunks)
        absent = around < 0
        articles = self._layout.article_numbers(chunks)
        vectors = self._vectors.rows(np.where(absent, 0, around).ravel())
        whole = self._article_vectors[articles]
        scores = tuple(_scores(one, around, absent, vectors, whole) for one in ranked)
        spent["scoring"] += time.perf_counter() - started
        return Candidates(chunks, articles, scores, spent)

    def _ranked(self, probe: SearchProbe, depth: int, mask: ChunkMask | None, spent: dict[str, float]) -> _Ranked:
        started = time.perf_counter()
        keyword = self._keyword_shares(probe.terms)
        by_keyword = best_chunks(keyword, depth, mask)
        searched = time.perf_counter()
        nearest = _NO_HITS if probe.vector is None else self._vectors.nearest(probe.vector, depth, mask)
        spent["keywords"] += searched - started
        spent["vectors"] += time.perf_counter() - searched
        by_vector, similarities = nearest
        return _Ranked(probe, keyword, by_keyword, by_vector, float(similarities[0]) if len(similarities) else 0.0)

    def _keyword_shares(self, terms: Mapping[str, float]) -> Scores:
        attainable = self._keywords.attainable(terms)
        return self._keywords.scores(terms) / np.float32(attainable or 1.0)


def _union(hits: Sequence[Chunks]) -> Chunks:
    chunks = np.sort(np.concatenate(hits))
    return chunks[np.diff(chunks, prepend=-1) > 0]


def _scores(
    ranked: _Ranked, around: Chunks, absent: ChunkMask, vectors: FloatMatrix, whole: FloatMatrix
) -> ProbeScores:
    best = float(ranked.keyword[ranked.by_keyword[0]]) if len(ranked.by_keyword) else 0.0
    keyword = np.where(absent, np.nan, ranked.keyword[around])
    vector = ranked.probe.vector
    if vector is None:
        return ProbeScores(keyword, None, None, best, ranked.best_similarity)
    similarity = np.where(absent, np.nan, products(vectors, vector).reshape(around.shape))
    return ProbeScores(keyword, similarity, products(whole, vector), best, ranked.best_similarity)
