"""The excerpts that an answer is made of: runs of its text that rest on the same quotations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from qa.types import Answer, Citation, Section, Segment


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Consecutive segments with the same footnotes.

    `place`: where the text stands, to be shown above it; "" where the text is no quotation, stands in several places or
    in that of the excerpt before.
    """

    segments: tuple[Segment, ...]
    citations: tuple[Citation, ...]
    place: str


def excerpts(answer: Answer) -> Iterator[Excerpt]:
    """The excerpts of an answer, in reading order."""
    citations = {citation.n: citation for citation in answer.citations}
    before = ""
    for marks, run in groupby(answer.segments, key=lambda segment: segment.marks):
        cited = tuple(citations[n] for n in marks)
        place = place_of(cited[0]) if answer.writer == "extractive" and len(cited) == 1 else ""
        yield Excerpt(tuple(run), cited, place if place != before else "")
        before = place


def place_of(part: Citation | Section) -> str:
    """Title and headings of a place in an article, as they are shown."""
    return " › ".join((part.title, *part.heading))
