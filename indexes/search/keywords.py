"""The keyword index: BM25 over stemmed terms, filtered inside the search."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from indexes.search.postings import Postings
from indexes.search.row_map import RowMap
from indexes.types import ChunkMask, Chunks, Hit

# Robertson and Zaragoza, "The Probabilistic Relevance Framework" (2009): customary k1 and b.
K1 = 1.2
B = 0.75
_REMEMBERED = 100_000  # terms whose documents have been counted


class KeywordIndex:
    """Ranks the chunks of all segments together: what a term is worth is counted over the living rows of them all."""

    def __init__(self, segments: Sequence[Postings], numbering: RowMap) -> None:
        self._segments = segments
        self._numbering = numbering
        ends = np.cumsum([0, *(len(segment.lengths) for segment in segments)])
        self._spans = [slice(int(low), int(high)) for low, high in pairwise(ends)]
        lengths = np.concatenate([np.zeros(0, dtype=np.uint32), *(segment.lengths for segment in segments)])
        self._norms = _norms(lengths, numbering.alive)
        self._counted: dict[str, int] = {}

    @classmethod
    def build(cls, texts: Iterable[str]) -> KeywordIndex:
        """Index `texts`, one a chunk, in chunk order."""
        postings = Postings.build(texts)
        return cls([postings], RowMap(len(postings.lengths), np.zeros(0, dtype=np.int64)))

    def rarity(self, term: str) -> float:
        """The inverse document frequency of a term (natural log, Lucene's form); highest for an unseen term."""
        documents = self._documents(term)
        return math.log1p((self._numbering.count - documents + 0.5) / (documents + 0.5))

    def occurs(self, term: str) -> bool:
        """Whether any chunk holds the term."""
        return self._documents(term) > 0

    def scores(self, weights: Mapping[str, float]) -> npt.NDArray[np.float32]:
        """The BM25 score of every chunk for the weighted terms, shape (chunks,)."""
        scores = np.zeros(self._numbering.total, dtype=np.float32)
        for term, weight in weights.items():
            worth = np.float32(weight * self.rarity(term))
            for segment, span in zip(self._segments, self._spans, strict=True):
                low, high = segment.range(term)
                rows, counts = segment.rows[low:high], segment.counts[low:high].astype(np.float32)
                scores[span][rows] += worth * counts / (counts + self._norms[span][rows])
        return self._numbering.of_chunks(scores)

    def attainable(self, weights: Mapping[str, float]) -> float:
        """What no chunk's score for these terms can exceed: each term's part is below its rarity."""
        return sum(weight * self.rarity(term) for term, weight in weights.items())

    def search(self, weights: Mapping[str, float], limit: int, mask: ChunkMask | None = None) -> list[Hit]:
        """The `limit` chunks with the highest BM25 score for the weighted terms, among those `mask` allows."""
        return best(self.scores(weights), limit, mask)

    def _documents(self, term: str) -> int:
        """How many chunks the term stands in."""
        if term not in self._counted:
            if len(self._counted) >= _REMEMBERED:
                self._counted.clear()
            pairs = zip(self._segments, self._spans, strict=True)
            self._counted[term] = sum(self._living(segment, span, term) for segment, span in pairs)
        return self._counted[term]

    def _living(self, segment: Postings, span: slice, term: str) -> int:
        low, high = segment.range(term)
        alive = self._numbering.alive
        return high - low if alive is None else int(np.count_nonzero(alive[span][segment.rows[low:high]]))


def _norms(lengths: npt.NDArray[np.uint32], alive: ChunkMask | None) -> npt.NDArray[np.float32]:
    """What a chunk's length takes from its scores, shape (rows,)."""
    living = lengths if alive is None else lengths[alive]
    mean = float(living.mean()) if len(living) else 1.0
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
