"""Shows where each passage ranks for one question by keywords, by meaning and by both together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from indexes.search.analysis import informative_terms, terms
from indexes.types import ANYONE, Hit, StoredChunk, Viewer
from qa.answering import Answerer, Trace
from qa.corpus import Corpus, CorpusStore
from qa.retrieval import DEPTH, QuestionEmbedder
from qa.types import Question

_BEST = 3  # hits of each single ranking that are shown even if they are not among the passages
_ATTEMPTS = 3  # at an answer and rankings of one generation: an ingest may publish in between


@dataclass(frozen=True, slots=True)
class Rank:
    """A rank, from 1, with the score it rests on."""

    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class Ranked:
    """A chunk and its ranks; None where it is not among the first `DEPTH`."""

    stored: StoredChunk
    fused: Rank | None
    keyword: Rank | None
    vector: Rank | None


@dataclass(frozen=True, slots=True)
class Inspection:
    """An answer with its rankings. `words`: the terms looked up in the keyword index."""

    trace: Trace
    words: tuple[str, ...]
    ranked: tuple[Ranked, ...]


class Inspector:
    """Answers a question without recording it, and shows every ranking."""

    def __init__(self, store: CorpusStore, answerer: Answerer, embedder: QuestionEmbedder | None) -> None:
        self._store = store
        self._answerer = answerer
        self._embedder = embedder

    def inspect(self, text: str, viewer: Viewer = ANYONE) -> Inspection:
        """The passages for `text` in rank order, then the best hits of each single ranking that are not among them."""
        for _ in range(_ATTEMPTS):
            corpus = self._store.seen_by(viewer)
            trace = self._answerer.trace(Question(text, viewer=viewer))
            if trace.answer.generation == corpus.generation:
                break
        question = trace.answer.standalone_question
        words = informative_terms(question) or terms(question)
        keyword = corpus.keyword_hits(dict.fromkeys(words, 1.0), DEPTH)
        vector = self._vector_hits(corpus, question)
        shown = [passage.chunk for passage in trace.answer.passages]
        shown += [hit.chunk for hit in (*keyword[:_BEST], *vector[:_BEST])]
        ranks = [_ranks(hits) for hits in (trace.ranking, keyword, vector)]
        stored = corpus.chunks(list(dict.fromkeys(shown)))
        return Inspection(trace, tuple(words), tuple(_with_ranks(chunk, ranks) for chunk in stored))

    def _vector_hits(self, corpus: Corpus, text: str) -> Sequence[Hit]:
        if self._embedder is None:
            return []
        return corpus.vector_hits(self._embedder.embed_question(text)[0], DEPTH)


def _ranks(hits: Sequence[Hit]) -> dict[int, Rank]:
    return {hit.chunk: Rank(rank, hit.score) for rank, hit in enumerate(hits, start=1)}


def _with_ranks(stored: StoredChunk, ranks: Sequence[Mapping[int, Rank]]) -> Ranked:
    fused, keyword, vector = (ranking.get(stored.number) for ranking in ranks)
    return Ranked(stored, fused, keyword, vector)
