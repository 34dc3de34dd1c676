"""The postings of one segment: which term stands in which of its rows, how often."""

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
_BLOCK = 4_000_000  # postings moved at a time when segments are merged
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

    def range(self, term: str) -> tuple[int, int]:
        number = self.vocabulary.get(term)
        return (0, 0) if number is None else (int(self.offsets[number]), int(self.offsets[number + 1]))


def _indexed(texts: Sequence[str]) -> Postings:
    vocabulary: dict[str, int] = {}
    occurrences, lengths = array("q"), array("q")
    for text in texts:
        found = terms(text)
        lengths.append(len(found))
        occurrences.extend(vocabulary.setdefault(term, len(vocabulary)) for term in found)
    count, length = len(texts), np.array(lengths, dtype=np.int64)
    term = np.array(occurrences, dtype=np.int64)
    pairs, frequency = np.unique(term * count + np.repeat(np.arange(count), length), return_counts=True)
    posting_term, posting_row = np.divmod(pairs, count)
    offsets = _offsets(np.bincount(posting_term, minlength=len(vocabulary)))
    counts = np.minimum(frequency, _MOST).astype(np.uint8)
    return Postings(vocabulary, offsets, posting_row.astype(np.uint32), counts, length.astype(np.uint32))


def merged(parts: Sequence[tuple[Postings, IntArray]]) -> Postings:
    """Postings of several segments as one. Each comes with the new number of each of its rows, -1 for none.

    New numbers rise within a part and from part to part, and leave no gaps.
    """
    shares = [_documents(postings, numbers >= 0) for postings, numbers in parts]
    vocabulary: dict[str, int] = {}
    for (postings, _), documents in zip(parts, shares, strict=True):
        for term, number in postings.vocabulary.items():
            if documents[number]:
                vocabulary.setdefault(term, len(vocabulary))
    names = [_renamed(postings, vocabulary) for postings, _ in parts]
    totals = np.zeros(len(vocabulary), dtype=np.int64)
    for name, documents in zip(names, shares, strict=True):
        totals[name[name >= 0]] += documents[name >= 0]
    offsets = _offsets(totals)
    rows, counts = np.empty(int(offsets[-1]), dtype=np.uint32), np.empty(int(offsets[-1]), dtype=np.uint8)
    free = offsets[:-1].copy()  # where the next posting of each term goes
    for (postings, numbers), name in zip(parts, names, strict=True):
        _move(postings, numbers, name, free, rows, counts)
    lengths = [postings.lengths[numbers >= 0] for postings, numbers in parts]
    return Postings(vocabulary, offsets, rows, counts, np.concatenate([np.zeros(0, dtype=np.uint32), *lengths]))


def _move(
    postings: Postings,
    numbers: IntArray,
    names: IntArray,
    free: IntArray,
    rows: npt.NDArray[np.uint32],
    counts: npt.NDArray[np.uint8],
) -> None:
    """Copy the kept postings of one segment to where `free` says, and move `free` on. In blocks, to spare memory."""
    for first, end in _blocks(postings.offsets):
        low, high = int(postings.offsets[first]), int(postings.offsets[end])
        new_rows = numbers[postings.rows[low:high]]
        kept = new_rows >= 0
        name = np.repeat(names[first:end], np.diff(postings.offsets[first : end + 1]))[kept]
        documents = np.bincount(name, minlength=0) if len(name) else np.zeros(0, dtype=np.int64)
        own, size = np.flatnonzero(documents), documents[documents > 0]
        order = np.argsort(name, kind="stable")
        within = np.arange(len(name)) - np.repeat(np.cumsum(size) - size, size)
        places = np.repeat(free[own], size) + within
        rows[places] = new_rows[kept][order]
        counts[places] = postings.counts[low:high][kept][order]
        free[own] += size


def _blocks(offsets: IntArray) -> Iterable[tuple[int, int]]:
    """Ranges of terms with about `_BLOCK` postings each."""
    first, last = 0, len(offsets) - 1
    while first < last:
        end = int(np.searchsorted(offsets, offsets[first] + _BLOCK, side="right")) - 1
        end = min(max(end, first + 1), last)
        yield first, end
        first = end


def _documents(postings: Postings, kept: npt.NDArray[np.bool_]) -> IntArray:
    """How many kept rows each term stands in."""
    if kept.all():
        return np.diff(postings.offsets)
    documents = np.zeros(len(postings.offsets) - 1, dtype=np.int64)
    for first, end in _blocks(postings.offsets):
        low, high = int(postings.offsets[first]), int(postings.offsets[end])
        kept_before = np.concatenate(([0], np.cumsum(kept[postings.rows[low:high]])))
        documents[first:end] = np.diff(kept_before[postings.offsets[first : end + 1] - low])
    return documents


def _renamed(postings: Postings, vocabulary: dict[str, int]) -> IntArray:
    """The new number of each term; -1 for one that no kept row holds."""
    names = np.full(len(postings.offsets) - 1, -1, dtype=np.int64)
    for term, number in postings.vocabulary.items():
        names[number] = vocabulary.get(term, -1)
    return names


def _offsets(documents: IntArray) -> IntArray:
    return np.concatenate(([0], np.cumsum(documents))).astype(np.int64)
