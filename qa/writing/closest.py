"""What is shown beside an answer, or in its place: the closest passages, and other sections that may answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qa.links import Links
from qa.reading.reading import Reading
from qa.types import CLOSEST, Citation, Passage, Section
from qa.writing.excerpts import Excerpt
from qa.writing.extractive import excerpts

_SHOWN = 3  # closest passages
_ELSEWHERE = 5  # sections


@dataclass(frozen=True, slots=True)
class Closest:
    """Passages that may help where nothing is asserted, and the text that shows them; neither where none is close."""

    citations: tuple[Citation, ...]
    text: str


NOTHING_CLOSE = Closest((), "")


def closest_passages(reading: Reading, passages: Sequence[Passage], links: Links) -> Closest:
    """The best excerpts of a reading that is not enough to answer from, among `passages`."""
    shown = reading.within({passage.chunk for passage in passages})
    found = excerpts(shown.passages, _SHOWN) if reading.close else []
    if not found:
        return NOTHING_CLOSE
    citations = tuple(_citation(n, excerpt, links) for n, excerpt in enumerate(found, start=1))
    return Closest(citations, "\n\n".join([CLOSEST, *map(_quoted, found, citations)]))


def elsewhere(passages: Sequence[Passage], citations: Sequence[Citation], links: Links) -> tuple[Section, ...]:
    """The best passage of each section that is not cited, best first."""
    seen = {(citation.article_id, citation.heading) for citation in citations}
    sections: list[Section] = []
    for passage in passages:
        article, place = passage.article, (passage.article.id, passage.heading)
        if place in seen:
            continue
        seen.add(place)
        url = links.passage(article.id, passage.start, passage.end)
        where = (passage.text, passage.start, passage.end)
        sections.append(Section(article.id, article.title, url, passage.heading, *where))
    return tuple(sections[:_ELSEWHERE])


def _citation(n: int, excerpt: Excerpt, links: Links) -> Citation:
    article, span = excerpt.passage.article, excerpt.span
    url = links.passage(article.id, span.start, span.end)
    heading = excerpt.passage.heading
    return Citation(n, article.id, article.title, url, heading, excerpt.text, span.start, span.end, excerpt.key)


def _quoted(excerpt: Excerpt, citation: Citation) -> str:
    """An excerpt as a block quotation with a link to its place."""
    text = "\n\n".join(statement.text for statement in excerpt.statements())
    name = " › ".join([citation.title, *citation.heading]).replace("[", "\\[").replace("]", "\\]")
    return "\n".join([*(f"> {line}".rstrip() for line in text.splitlines()), "", f"[{name}]({citation.url})"])
