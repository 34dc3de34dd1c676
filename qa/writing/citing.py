"""Statements to an answer's text with marks and citations, and the check that every mark holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from qa.errors import CitingError
from qa.links import Links
from qa.types import Citation, Passage, Segment
from qa.writing.statements import CODE_SPAN, Quote, Statement

_MARK = re.compile(r"(?<!\\)\[(\d+)\]")
_FENCE = re.compile(
    r"^(`{3,}+|~{3,}+)[^\n]*+(?:\n(?!\1[ \t]*+$)[^\n]*+)*+(?:\n\1[ \t]*+$)?", re.MULTILINE
)  # one that is not closed goes on to the end (CommonMark 0.31, 4.5)


@dataclass(frozen=True, slots=True)
class Cited:
    """An answer's Markdown, its segments in reading order, and the citations its marks refer to."""

    text: str
    segments: tuple[Segment, ...]
    citations: tuple[Citation, ...]


class Citer:
    """Numbers quotations in the order in which they are cited, while the answer is being written.

    Quotations that touch in their article share one citation, which grows with each of them.
    """

    def __init__(self, links: Links) -> None:
        self._links = links
        self._last_quote: Quote | None = None
        self._segments: list[Segment] = []
        self._citations: list[Citation] = []
        self._pieces: list[str] = []
        self._passages: list[Passage] = []

    def add(self, statement: Statement) -> str:
        """The piece of the text that a statement adds; all of them joined are the text."""
        marks = tuple(dict.fromkeys(self._number(quote) for quote in statement.quotes))
        segment = Segment(statement.kind, statement.text, marks)
        piece = self._separator(segment) + _marked(segment)
        self._segments.append(segment)
        self._pieces.append(piece)
        return piece

    def cited(self) -> Cited:
        """All that was added. Raises CitingError unless every mark and every quotation holds."""
        cited = Cited("".join(self._pieces), tuple(self._segments), tuple(self._citations))
        check(cited, self._passages)
        return cited

    def _number(self, quote: Quote) -> int:
        known = next((citation.n for citation in self._citations if _holds(citation, quote)), None)
        if known:
            return known
        self._passages.append(quote.passage)
        if self._last_quote and self._last_quote.touches(quote):
            self._citations[-1] = self._grown(self._citations[-1], quote)
        else:
            self._citations.append(self._citation(len(self._citations) + 1, quote))
        self._last_quote = quote
        return self._citations[-1].n

    def _citation(self, n: int, quote: Quote) -> Citation:
        article = quote.passage.article
        url = self._links.passage(article.id, quote.start, quote.end)
        heading = quote.passage.heading
        return Citation(n, article.id, article.title, url, heading, quote.text, quote.start, quote.end, quote.key)

    def _grown(self, citation: Citation, quote: Quote) -> Citation:
        url = self._links.passage(citation.article_id, citation.start, quote.end)
        text = quote.passage.article.markdown[citation.start : quote.end]
        return replace(citation, url=url, quote=text, end=quote.end, key=citation.key + quote.key)

    def _separator(self, segment: Segment) -> str:
        """Sentences that rest on the same citations form a paragraph; a block stands alone."""
        if not self._segments:
            return ""
        last = self._segments[-1]
        together = last.kind == segment.kind == "sentence" and last.marks == segment.marks
        return " " if together else "\n\n"


def cite(statements: Iterable[Statement], links: Links) -> Cited:
    """The statements as one text. Raises CitingError as `Citer.cited` does."""
    citer = Citer(links)
    for statement in statements:
        citer.add(statement)
    return citer.cited()


def check(cited: Cited, passages: Sequence[Passage]) -> None:
    """Raises CitingError unless every quotation is exactly its place, and marks and citations match one to one."""
    markdown = {passage.article.id: passage.article.markdown for passage in passages}
    for citation in cited.citations:
        if markdown[citation.article_id][citation.start : citation.end] != citation.quote:
            raise CitingError(f"citation {citation.n} is not the text at its place in {citation.article_id}")
    marks = {int(n) for n in _MARK.findall(_FENCE.sub("", CODE_SPAN.sub("", cited.text)))}
    if marks != {citation.n for citation in cited.citations}:
        raise CitingError(f"marks {sorted(marks)} do not match {len(cited.citations)} citations")


def _holds(citation: Citation, quote: Quote) -> bool:
    same = citation.article_id == quote.passage.article.id
    return same and citation.start <= quote.start and quote.end <= citation.end


def _marked(segment: Segment) -> str:
    apart = "\n\n" if segment.kind in ("code", "table") else " "
    return segment.text + apart + "".join(f"[{n}]" for n in segment.marks)
