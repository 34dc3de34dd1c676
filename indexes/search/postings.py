"""The postings of the keyword index: which term stands in which rows, how often."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from indexes.files import mapped, save_array
from indexes.search.analysis import terms

IntArray: TypeAlias = npt.NDArray[np.int64]

FILES = ("terms.txt", "term_offsets.npy", "posting_rows.npy", "posting_counts.npy", "term_lengths.npy")
_MOST = 255  # a term that stands in a chunk more often counts as often: BM25 cannot tell the difference
_BLOCK = 4_000_000  # postings moved at a time when parts are merged
_BATCH = 20_000  # texts indexed at a time


class Postings:
    """In term order: `rows[offsets[t]:offsets[t + 1]]` hold term `t`, `counts` how often; `lengths` are in terms."""

    def __init__(
        self,
        vocabulary: dict[str, int],
        offsets: IntArray,
        rows: npt.NDArray[np.uint32],
        counts: npt.NDArray[np.uint8],
        lengths: npt.NDArray[np.uint32],
    ) -> None:
        self.vocabulary = vocabulary
        self.offsets = offsets
        self.rows = rows
        self.counts = counts
        self.lengths = lengths

    @classmethod
    def build(cls, texts: Iterable[str]) -> Postings:
        """Index `texts`, one a row, in row order."""
        rest = iter(texts)
        parts, end = [], 0
        while batch := list(islice(rest, _BATCH)):
            part = _indexed(batch)
            parts.append((part, np.arange(end, end + len(batch))))
            end += len(batch)
        return parts[0][0] if len(parts) == 1 else merged(parts)

    @classmethod
    def open(cls, folder: Path) -> Postings:
        """Open saved files; the postings stay on disk, mapped."""
        words = (folder / FILES[0]).read_text(encoding="utf-8").split("\n")
        vocabulary = {word: number for number, word in enumerate(words) if word}
        return cls(vocabulary, *(mapped(folder / name) for name in FILES[1:]))

    def save(self, folder: Path) -> None:
        (folder / FILES[0]).write_text("\n".join(self.vocabulary), encoding="utf-8")
        arrays: tuple[npt.NDArray[Any], ...] = (self.offsets, self.rows, self.counts, self.lengths)
        for name, values in zip(FILES[1:], arrays, strict=True):
            save_array(folder / name, values)

    def range(self, term: str) -> slice:
        """Where the postings of a term are."""
        number = self.vocabulary.get(term)
        return slice(0, 0) if number is None else slice(int(self.offsets[number]), int(self.offsets[number + 1]))


def _indexed(texts: Sequence[str]) -> Postings:
    vocabulary: dict[str, int] = {}
    occurrences, lengths = array("q"), array("q")
    for text in texts:
        text_terms = terms(text)
        lengths.append(len(text_terms))
        occurrences.extend(vocabulary.setdefault(term, len(vocabulary)) for term in text_terms)
    count, length = len(texts), np.array(lengths, dtype=np.int64)
    term = np.array(occurrences, dtype=np.int64)
    pairs, frequency = np.unique(term * count + np.repeat(np.arange(count), length), return_counts=True)
    posting_term, posting_row = np.divmod(pairs, count)
    offsets = _offsets(np.bincount(posting_term, minlength=len(vocabulary)))
    counts = np.minimum(frequency, _MOST).astype(np.uint8)
    return Postings(vocabulary, offsets, posting_row.astype(np.uint32), counts, length.astype(np.uint32))


def merged(parts: Sequence[tuple[Postings, IntArray]]) -> Postings:
    """Several postings as one. Each comes with the new number of each of its rows, -1 for none.

    New numbers rise within a part and from part to part, and leave no gaps.
    """
    documents = [_documents(postings, numbers >= 0) for postings, numbers in parts]
    vocabulary: dict[str, int] = {}
    for (postings, _), own in zip(parts, documents, strict=True):
        for term, count in zip(postings.vocabulary, own.tolist(), strict=True):
            if count:
                vocabulary.setdefault(term, len(vocabulary))
    names = [_renamed(postings, vocabulary) for postings, _ in parts]
    totals = np.zeros(len(vocabulary) + 1, dtype=np.int64)  # the last for terms that are gone, which have none
    for name, own in zip(names, documents, strict=True):
        totals[name] += own
    offsets = _offsets(totals[:-1])
    rows, counts = np.empty(int(offsets[-1]), dtype=np.uint32), np.empty(int(offsets[-1]), dtype=np.uint8)
    free = offsets.copy()  # where the next posting of each term goes
    for (postings, numbers), name, own in zip(parts, names, documents, strict=True):
        for first, end in _blocks(postings.offsets):
            block = slice(int(postings.offsets[first]), int(postings.offsets[end]))
            new_rows = numbers[postings.rows[block]]
            stays = new_rows >= 0
            targets = _targets(free[name[first:end]], own[first:end])
            rows[targets] = new_rows[stays]
            counts[targets] = postings.counts[block][stays]
        free[name] += own
    lengths = [postings.lengths[numbers >= 0] for postings, numbers in parts]
    return Postings(vocabulary, offsets, rows, counts, np.concatenate([np.zeros(0, dtype=np.uint32), *lengths]))


def _targets(starts: IntArray, sizes: IntArray) -> IntArray:
    """Runs of rising numbers, one after the other: each with its start and its size."""
    return np.repeat(starts - (np.cumsum(sizes) - sizes), sizes) + np.arange(int(sizes.sum()))


def _blocks(offsets: IntArray) -> Iterable[tuple[int, int]]:
    """Ranges of terms with about `_BLOCK` postings each."""
    first, last = 0, len(offsets) - 1
    while first < last:
        end = int(np.searchsorted(offsets, offsets[first] + _BLOCK, side="right")) - 1
        end = min(max(end, first + 1), last)
        yield first, end
        first = end


def _documents(postings: Postings, stays: npt.NDArray[np.bool_]) -> IntArray:
    """How many of the rows that stay each term stands in."""
    if stays.all():
        return np.diff(postings.offsets)
    documents = np.zeros(len(postings.offsets) - 1, dtype=np.int64)
    for first, end in _blocks(postings.offsets):
        low, high = int(postings.offsets[first]), int(postings.offsets[end])
        before = np.concatenate(([0], np.cumsum(stays[postings.rows[low:high]])))
        documents[first:end] = np.diff(before[postings.offsets[first : end + 1] - low])
    return documents


def _renamed(postings: Postings, vocabulary: dict[str, int]) -> IntArray:
    """The new number of each term; -1 for one that no row that stays holds."""
    return np.array([vocabulary.get(term, -1) for term in postings.vocabulary], dtype=np.int64)


def _offsets(documents: IntArray) -> IntArray:
    return np.concatenate(([0], np.cumsum(documents))).astype(np.int64)
