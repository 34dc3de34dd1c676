"""Where does each passage rank for one question, by keywords, by meaning, and by both together?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from indexes.search.analysis import informative_terms, terms
from indexes.snapshots.article_table import StoredChunk
from indexes.snapshots.snapshot import Snapshot
from indexes.snapshots.store import SnapshotStore
from indexes.types import ANYONE, Hit, Viewer
from qa.answering import Answerer, Trace
from qa.retrieval import DEPTH, QuestionEmbedder
from qa.types import Question

_BEST = 3  # of each single ranking, shown even if they are not among the passages
_SWAPS = 3  # times an ingest may come between an answer and its inspection


@dataclass(frozen=True, slots=True)
class Rank:
    """A rank, from 1, with the score it rests on."""

    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class Ranked:
    """A chunk and its places; None where it is not among the first `DEPTH`."""

    stored: StoredChunk
    fused: Rank | None
    keyword: Rank | None
    vector: Rank | None


@dataclass(frozen=True, slots=True)
class Inspection:
    """What happened to a question. `words`: the terms the keyword index was asked for."""

    trace: Trace
    words: tuple[str, ...]
    ranked: tuple[Ranked, ...]


class Inspector:
    """Answers a question without keeping it, and shows every ranking."""

    def __init__(self, store: SnapshotStore, answerer: Answerer, embedder: QuestionEmbedder | None) -> None:
        self._store = store
        self._answerer = answerer
        self._embedder = embedder

    def inspect(self, text: str, viewer: Viewer = ANYONE) -> Inspection:
        """The passages of `text` in rank order, then the best of each single ranking that are not among them."""
        for _ in range(_SWAPS):
            snapshot = self._store.seen_by(viewer)
            trace = self._answerer.trace(Question(text, viewer=viewer))
            if trace.answer.generation == snapshot.generation:
                break
        asked = trace.answer.standalone_question
        words = informative_terms(asked) or terms(asked)
        keyword = snapshot.keywords.search(dict.fromkeys(words, 1.0), DEPTH)
        vector = self._by_meaning(snapshot, asked)
        shown = [passage.chunk for passage in trace.retrieved.passages]
        shown += [hit.chunk for hit in (*keyword[:_BEST], *vector[:_BEST])]
        places = [_places(hits) for hits in (trace.retrieved.ranking, keyword, vector)]
        stored = snapshot.articles.chunks(list(dict.fromkeys(shown)))
        return Inspection(trace, tuple(words), tuple(_ranked(chunk, places) for chunk in stored))

    def _by_meaning(self, snapshot: Snapshot, text: str) -> Sequence[Hit]:
        if self._embedder is None:
            return []
        return snapshot.vectors.search(self._embedder.embed_question(text)[0], DEPTH)


def _places(hits: Sequence[Hit]) -> dict[int, Rank]:
    return {hit.chunk: Rank(rank, hit.score) for rank, hit in enumerate(hits, start=1)}


def _ranked(stored: StoredChunk, places: Sequence[Mapping[int, Rank]]) -> Ranked:
    fused, keyword, vector = (ranking.get(stored.number) for ranking in places)
    return Ranked(stored, fused, keyword, vector)
