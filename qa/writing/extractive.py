"""The extractive writer: an answer is the section that answers, verbatim, as far as it does; seldom a second one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter

from indexes.search.analysis import distinct_terms
from qa.reading.reading import Reading, ReadPassage, SearchedQuestion
from qa.types import Passage, WriterName
from qa.writing.excerpts import Excerpt, excerpt
from qa.writing.statements import Statement

# From which share of the first passage's probability another one is quoted too. What goes on in the same section, or
# stands next to it, completes an answer (the cure after the diagnosis); what stands elsewhere is mostly padding:
# docs/decisions/excerpts.md
_SAME_SECTION = 0.05
_NEXT = 0.1
_ELSEWHERE = 0.7
_MOST = 3  # excerpts of an answer
_MOST_WORDS = 240  # of all of them
_ALIKE = 0.6  # share of common terms from which two excerpts say the same


class ExtractiveWriter:
    """Needs no model: its statements are quotations."""

    name: WriterName = "extractive"

    def write(self, question: SearchedQuestion, reading: Reading) -> Iterator[Statement]:
        """The excerpts that answer, statement by statement; nothing where nothing can be quoted."""
        for found in _in_reading_order(_quoted(reading.passages)):
            yield from found.statements()


def excerpts(passages: Sequence[ReadPassage], most: int) -> list[Excerpt]:
    """The excerpts of the first passages, none of which says what another says; `most` at most."""
    chosen: list[Excerpt] = []
    for read in passages:
        if len(chosen) == most:
            break
        _add(chosen, read)
    return chosen


def _quoted(passages: Sequence[ReadPassage]) -> list[Excerpt]:
    """The excerpts of an answer, the best first."""
    chosen: list[Excerpt] = []
    for read in passages:
        if len(chosen) < _MOST and read.probability >= _least(read.passage, chosen) * passages[0].probability:
            _add(chosen, read, _MOST_WORDS - sum(found.words for found in chosen))
    return chosen


def _least(passage: Passage, chosen: Sequence[Excerpt]) -> float:
    """The share of the first passage's probability that a passage needs beside what is quoted already."""
    if not chosen:
        return 0.0
    others = [found.passage for found in chosen if found.passage.article.id == passage.article.id]
    shares = [_ELSEWHERE]
    if any(other.heading == passage.heading for other in others):
        shares.append(_SAME_SECTION)
    if any(abs(other.chunk - passage.chunk) == 1 for other in others):
        shares.append(_NEXT)
    return min(shares)


def _add(chosen: list[Excerpt], read: ReadPassage, room: int | None = None) -> None:
    """Add the excerpt of a passage, if it has one that says something new, within `room` words but for the first."""
    found = excerpt(read)
    if found is None or any(_say_the_same(found, other) for other in chosen):
        return
    if room is None or not chosen or found.words <= room:
        chosen.append(found)


def _in_reading_order(chosen: Sequence[Excerpt]) -> Iterator[Excerpt]:
    """Articles in the order of their best excerpts; within an article as it goes on."""
    for article in dict.fromkeys(found.passage.article.id for found in chosen):
        own = [found for found in chosen if found.passage.article.id == article]
        yield from sorted(own, key=attrgetter("span.start"))


def _say_the_same(one: Excerpt, other: Excerpt) -> bool:
    """Whether two excerpts share text, or nearly all of their terms."""
    same_article = one.passage.article.id == other.passage.article.id
    if same_article and one.span.start < other.span.end and other.span.start < one.span.end:
        return True
    words, others = distinct_terms(one.text), distinct_terms(other.text)
    return len(words & others) / max(1, min(len(words), len(others))) > _ALIKE
