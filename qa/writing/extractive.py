"""The extractive writer: an answer is the excerpt that answers, verbatim; a second one where it is as likely to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from indexes.search.analysis import distinct_terms
from qa.reading.reading import Reading, ReadPassage, SearchedQuestion
from qa.types import WriterName
from qa.writing.excerpts import Excerpt, excerpt
from qa.writing.statements import Statement

# Chosen on held-out questions of four knowledge bases: docs/decisions/excerpts.md
_SECOND = 0.5  # share of the first passage's probability from which another one is quoted too
_MOST = 2  # excerpts of an answer
_ALIKE = 0.6  # share of common terms from which two excerpts say the same


class ExtractiveWriter:
    """Needs no model: its statements are quotations."""

    name: WriterName = "extractive"

    def write(self, question: SearchedQuestion, reading: Reading) -> Iterator[Statement]:
        """The excerpts that answer, statement by statement; nothing where nothing can be quoted."""
        if reading.passages:
            least = _SECOND * reading.passages[0].probability
            for found in excerpts([read for read in reading.passages if read.probability >= least], _MOST):
                yield from found.statements()


def excerpts(passages: Sequence[ReadPassage], most: int) -> list[Excerpt]:
    """The excerpts of the first passages, none of which says what another says; `most` at most."""
    chosen: list[Excerpt] = []
    for read in passages:
        found = excerpt(read)
        if found is not None and not any(_say_the_same(found, other) for other in chosen):
            chosen.append(found)
        if len(chosen) == most:
            break
    return chosen


def _say_the_same(one: Excerpt, other: Excerpt) -> bool:
    """Whether two excerpts share text, or nearly all of their terms."""
    same_article = one.passage.article.id == other.passage.article.id
    if same_article and one.span.start < other.span.end and other.span.start < one.span.end:
        return True
    words, others = distinct_terms(one.text), distinct_terms(other.text)
    return len(words & others) / max(1, min(len(words), len(others))) > _ALIKE
