"""The keyword index: BM25 over stemmed terms, filtered inside the search."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property

import numpy as np
import numpy.typing as npt
from rapidfuzz import process
from rapidfuzz.distance import OSA

from indexes.search.postings import Postings
from indexes.search.row_map import RowMap
from indexes.types import ChunkMask, Chunks, Hit

# Robertson and Zaragoza, "The Probabilistic Relevance Framework" (2009): customary k1 and b.
K1 = 1.2
B = 0.75
_REMEMBERED = 100_000  # terms whose documents have been counted


class KeywordIndex:
    """Ranks chunks; what a term is worth is counted over those that the row map shows."""

    def __init__(self, postings: Postings, row_map: RowMap) -> None:
        self._postings = postings
        self._row_map = row_map
        self._norms = _norms(postings.lengths, row_map)
        self._document_counts: dict[str, int] = {}

    @classmethod
    def build(cls, texts: Iterable[str]) -> KeywordIndex:
        """Index `texts`, one a chunk, in chunk order."""
        postings = Postings.build(texts)
        return cls(postings, RowMap(len(postings.lengths)))

    def rarity(self, term: str) -> float:
        """The inverse document frequency of a term (natural log, Lucene's form); highest for an unseen term."""
        documents = self._documents(term)
        return math.log1p((self._row_map.count - documents + 0.5) / (documents + 0.5))

    def occurs(self, term: str) -> bool:
        """Whether any chunk holds the term."""
        return self._documents(term) > 0

    def near(self, term: str, errors: int, limit: int) -> list[str]:
        """Terms with the same first letter that are at most so many typing errors away, the nearest and then the most
        frequent first."""
        known = self._by_initial.get(term[:1], [])
        hits = process.extract(term, known, scorer=OSA.distance, score_cutoff=errors, limit=None)
        found = [(distance, -self._documents(other), other) for other, distance, _ in hits]
        return [other for _, documents, other in sorted(found) if documents][:limit]

    @cached_property
    def _by_initial(self) -> dict[str, list[str]]:
        grouped: dict[str, list[str]] = defaultdict(list)
        for term in self._postings.vocabulary:
            if term.isalpha():
                grouped[term[0]].append(term)
        return grouped

    def scores(self, weights: Mapping[str, float]) -> npt.NDArray[np.float32]:
        """The BM25 score of every chunk for the weighted terms, shape (chunks,)."""
        scores = np.zeros(self._row_map.total, dtype=np.float32)
        for term, weight in weights.items():
            worth = np.float32(weight * self.rarity(term))
            own = self._postings.range(term)
            rows, counts = self._postings.rows[own], self._postings.counts[own].astype(np.float32)
            scores[rows] += worth * counts / (counts + self._norms[rows])
        return self._row_map.of_chunks(scores)

    def attainable(self, weights: Mapping[str, float]) -> float:
        """What no chunk's score for these terms can exceed: each term's part is below its rarity."""
        return sum(weight * self.rarity(term) for term, weight in weights.items())

    def search(self, weights: Mapping[str, float], limit: int, mask: ChunkMask | None = None) -> list[Hit]:
        """The `limit` chunks with the highest BM25 score for the weighted terms, among those `mask` allows."""
        return best(self.scores(weights), limit, mask)

    def _documents(self, term: str) -> int:
        """How many chunks the term stands in."""
        if term not in self._document_counts:
            if len(self._document_counts) >= _REMEMBERED:
                self._document_counts.clear()
            rows, visible = self._postings.rows[self._postings.range(term)], self._row_map.visible
            self._document_counts[term] = len(rows) if visible is None else int(np.count_nonzero(visible[rows]))
        return self._document_counts[term]


def _norms(lengths: npt.NDArray[np.uint32], row_map: RowMap) -> npt.NDArray[np.float32]:
    """What a chunk's length takes from its scores, shape (rows,)."""
    mean = float(row_map.of_chunks(lengths).mean()) if row_map.count else 1.0
    return np.asarray(K1 * (1 - B + B * lengths / max(mean, 1.0)), dtype=np.float32)


def best(scores: npt.NDArray[np.float32], limit: int, mask: ChunkMask | None = None) -> list[Hit]:
    """The `limit` highest positive scores among the chunks `mask` allows, best first."""
    return [Hit(int(chunk), float(scores[chunk])) for chunk in best_chunks(scores, limit, mask)]


def best_chunks(scores: npt.NDArray[np.float32], limit: int, mask: ChunkMask | None = None) -> Chunks:
    """`best` without the scores, for one who looks at hundreds and keeps a few."""
    matching = np.flatnonzero(scores > 0 if mask is None else (scores > 0) & mask)
    if len(matching) > limit:
        matching = matching[np.argpartition(-scores[matching], limit - 1)[:limit]]
    return matching[np.lexsort((matching, -scores[matching]))]
