"""The keyword index: BM25 over stemmed terms, as numpy postings, filtered inside the search."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from indexes.analysis import terms
from indexes.types import ChunkMask, Hit

# Robertson and Zaragoza, "The Probabilistic Relevance Framework" (2009): customary k1 and b.
K1 = 1.2
B = 0.75

FILES = ("terms.txt", "term_offsets.npy", "posting_chunks.npy", "posting_impacts.npy")


class KeywordIndex:
    """Postings in term order: `chunks[offsets[t]:offsets[t + 1]]` hold term `t`, with their BM25 impacts.

    An impact is the whole BM25 contribution of a term to a chunk, computed once when the index is built,
    so a search only adds numbers up.
    """

    def __init__(
        self,
        vocabulary: dict[str, int],
        offsets: npt.NDArray[np.int64],
        chunks: npt.NDArray[np.uint32],
        impacts: npt.NDArray[np.float32],
        count: int,
    ) -> None:
        self._vocabulary = vocabulary
        self._offsets = offsets
        self._chunks = chunks
        self._impacts = impacts
        self._count = count

    @classmethod
    def build(cls, texts: Iterable[str]) -> KeywordIndex:
        """Index `texts`, one a chunk, in chunk order."""
        vocabulary: dict[str, int] = {}
        occurrences, lengths = array("q"), array("q")
        for text in texts:
            found = terms(text)
            lengths.append(len(found))
            occurrences.extend(vocabulary.setdefault(term, len(vocabulary)) for term in found)
        count = len(lengths)
        length = np.frombuffer(lengths, dtype=np.int64) if count else np.zeros(0, dtype=np.int64)
        term = np.frombuffer(occurrences, dtype=np.int64) if occurrences else np.zeros(0, dtype=np.int64)
        pairs, frequency = np.unique(term * max(count, 1) + np.repeat(np.arange(count), length), return_counts=True)
        posting_term, posting_chunk = np.divmod(pairs, max(count, 1))
        documents = np.bincount(posting_term, minlength=len(vocabulary))
        offsets = np.concatenate(([0], np.cumsum(documents))).astype(np.int64)
        impacts = _impacts(frequency, length[posting_chunk], documents[posting_term], length, count)
        return cls(vocabulary, offsets, posting_chunk.astype(np.uint32), impacts, count)

    @classmethod
    def open(cls, folder: Path, count: int) -> KeywordIndex:
        """Open the saved files of an index over `count` chunks; the postings stay on disk, mapped."""
        words = (folder / FILES[0]).read_text(encoding="utf-8").split("\n")
        vocabulary = {word: number for number, word in enumerate(words) if word}
        arrays = [np.load(folder / name, mmap_mode="r", allow_pickle=False) for name in FILES[1:]]
        return cls(vocabulary, arrays[0], arrays[1], arrays[2], count)

    def save(self, folder: Path) -> None:
        (folder / FILES[0]).write_text("\n".join(self._vocabulary), encoding="utf-8")
        arrays: tuple[npt.NDArray[Any], ...] = (self._offsets, self._chunks, self._impacts)
        for name, values in zip(FILES[1:], arrays, strict=True):
            np.save(folder / name, values, allow_pickle=False)

    def rarity(self, term: str) -> float:
        """The inverse document frequency of a term (natural log, Lucene's form); highest for an unseen term."""
        return float(_rarity(np.array([self._frequency(term)]), self._count)[0])

    def occurs(self, term: str) -> bool:
        """Whether any chunk holds the term."""
        return self._frequency(term) > 0

    def scores(self, weights: Mapping[str, float]) -> npt.NDArray[np.float32]:
        """The BM25 score of every chunk for the weighted terms, shape (chunks,)."""
        scores = np.zeros(self._count, dtype=np.float32)
        for term, weight in weights.items():
            low, high = self._range(term)
            scores[self._chunks[low:high]] += weight * self._impacts[low:high]
        return scores

    def attainable(self, weights: Mapping[str, float]) -> float:
        """What no chunk's score for these terms can exceed: each term's impact is below its rarity."""
        return sum(weight * self.rarity(term) for term, weight in weights.items())

    def search(self, weights: Mapping[str, float], limit: int, mask: ChunkMask | None = None) -> list[Hit]:
        """The `limit` chunks with the highest BM25 score for the weighted terms, among those `mask` allows."""
        return best(self.scores(weights), limit, mask)

    def _frequency(self, term: str) -> int:
        low, high = self._range(term)
        return high - low

    def _range(self, term: str) -> tuple[int, int]:
        number = self._vocabulary.get(term)
        return (0, 0) if number is None else (int(self._offsets[number]), int(self._offsets[number + 1]))


def _rarity(documents: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.float64]:
    return np.asarray(np.log1p((count - documents + 0.5) / (documents + 0.5)), dtype=np.float64)


def _impacts(
    frequency: npt.NDArray[np.int64],
    own_length: npt.NDArray[np.int64],
    documents: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    count: int,
) -> npt.NDArray[np.float32]:
    mean = float(lengths.mean()) if count else 1.0
    norm = K1 * (1 - B + B * own_length / max(mean, 1.0))
    return np.asarray(_rarity(documents, count) * frequency / (frequency + norm), dtype=np.float32)


def best(scores: npt.NDArray[np.float32], limit: int, mask: ChunkMask | None = None) -> list[Hit]:
    """The `limit` highest positive scores among the chunks `mask` allows, best first."""
    matching = np.flatnonzero(scores > 0 if mask is None else (scores > 0) & mask)
    if len(matching) > limit:
        matching = matching[np.argpartition(-scores[matching], limit - 1)[:limit]]
    order = np.lexsort((matching, -scores[matching]))
    return [Hit(int(chunk), float(scores[chunk])) for chunk in matching[order]]
