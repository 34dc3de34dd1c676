"""Findings: one for each thing that a question asks, with the passages found for it and what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from qa.reading.reading import Reading, SearchedQuestion
from qa.types import Passage

_NEAREST = 3  # articles


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is asked, a whole question or a part of it, and what the passages found for it say."""

    question: SearchedQuestion
    reading: Reading

    @property
    def passages(self) -> tuple[Passage, ...]:
        """Best first, as they were read."""
        return tuple(read.passage for read in self.reading.passages)


def split_by_support(whole: Finding, parts: Sequence[Finding]) -> tuple[list[Finding], list[Finding]]:
    """(findings to answer from, findings of which nothing is known).

    A part that passages may answer is in neither list: nothing is said of it. So it is with one that for itself finds
    nothing where the question as a whole is answered: "and who approves it?" is understood from the rest alone. Where
    no part is supported for itself, the question as a whole still may be.
    """
    enough = [part for part in parts if part.reading.enough]
    if enough:
        return enough, [] if whole.reading.enough else [part for part in parts if not part.reading.close]
    return ([whole], []) if whole.reading.enough else ([], [])


def merged(lists: Sequence[Sequence[Passage]], limit: int) -> tuple[Passage, ...]:
    """`limit` passages, taken from the lists by turns, in the order of their scores."""
    if len(lists) == 1:
        return tuple(lists[0][:limit])
    best: dict[int, Passage] = {}
    for passage in (passage for turn in zip_longest(*lists) for passage in turn if passage is not None):
        known = best.get(passage.chunk)
        if known is None and len(best) == limit:
            break
        if known is None or passage.score > known.score:
            best[passage.chunk] = passage
    return tuple(sorted(best.values(), key=lambda passage: -passage.score))


def nearest_articles(passages: Sequence[Passage]) -> list[Passage]:
    """The best passage of each of the first few articles."""
    first: dict[str, Passage] = {}
    for passage in passages:
        first.setdefault(passage.article.id, passage)
    return list(first.values())[:_NEAREST]
