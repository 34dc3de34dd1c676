"""Quotations to an answer's text with marks and citations, and the check that every mark holds."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qa.errors import CitingError
from qa.links import Links
from qa.types import Citation, Passage, Segment
from qa.writing.extractive import Quote

# Each reads a text once, however it is made: what is opened and not closed is passed over whole.
_CODE_SPAN = re.compile(r"(?<!`)(`++)(?:[^`]++|(?!\1(?!`))`++)*+\1(?!`)")
_TARGET = r"\([^()]*+(?:\([^()]*+\)[^()]*+)*+\)"
_IMAGE = re.compile(rf"!\[([^\[\]]*+)\]{_TARGET}")
_LINK = re.compile(rf"\[([^\[\]]++)\](?:{_TARGET}|\[[^\[\]]*+\])")
_MARKLIKE = re.compile(r"\[(\d+)\]")
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


def cite(quotes: Sequence[Quote], links: Links) -> Cited:
    """Number the quotations and write the text. Quotations that touch in their article share one citation."""
    citations: list[Citation] = []
    segments: list[Segment] = []
    for run in _touching(quotes):
        citation = _citation(len(citations) + 1, run, links)
        citations.append(citation)
        segments += [_segment(quote, citation.n) for quote in run]
    cited = Cited(_text(segments), tuple(segments), tuple(citations))
    check(cited, [quote.passage for quote in quotes])
    return cited


def check(cited: Cited, passages: Sequence[Passage]) -> None:
    """Raises CitingError unless every quotation is exactly its place, and marks and citations match one to one."""
    markdown = {passage.article.id: passage.article.markdown for passage in passages}
    for citation in cited.citations:
        if markdown[citation.article_id][citation.start : citation.end] != citation.quote:
            raise CitingError(f"citation {citation.n} is not the text at its place in {citation.article_id}")
    marks = {int(n) for n in _MARK.findall(_FENCE.sub("", _CODE_SPAN.sub("", cited.text)))}
    if marks != {citation.n for citation in cited.citations}:
        raise CitingError(f"marks {sorted(marks)} do not match {len(cited.citations)} citations")


def _touching(quotes: Sequence[Quote]) -> Iterator[list[Quote]]:
    run: list[Quote] = []
    for quote in quotes:
        if run and not _touch(run[-1], quote):
            yield run
            run = []
        run.append(quote)
    if run:
        yield run


def _touch(one: Quote, next: Quote) -> bool:
    markdown = one.passage.article.markdown
    same = one.passage.article.id == next.passage.article.id
    return same and one.end <= next.start and not markdown[one.end : next.start].strip()


def _citation(n: int, run: Sequence[Quote], links: Links) -> Citation:
    passage, start, end = run[0].passage, run[0].start, run[-1].end
    article = passage.article
    url = links.passage(article.id, start, end)
    return Citation(n, article.id, article.title, url, passage.heading, article.markdown[start:end], start, end)


def _segment(quote: Quote, n: int) -> Segment:
    if quote.kind == "sentence":
        return Segment("sentence", _prose(" ".join(quote.text.split())), n)
    text = _dedented(quote)
    if quote.kind == "code":
        return Segment("code", text, n)
    return Segment("table" if quote.kind == "table" else "list", _prose(text), n)


def _dedented(quote: Quote) -> str:
    """The block's lines without the indent its first line has in the article."""
    markdown = quote.passage.article.markdown
    indent = markdown[markdown.rfind("\n", 0, quote.start) + 1 : quote.start]
    return textwrap.dedent((indent if not indent.strip() else "") + quote.text)


def _prose(text: str) -> str:
    """Links become their text (an answer links to what it cites, nothing else); `[3]` of an article is no mark."""
    pieces: list[str] = []
    place = 0
    for span in _CODE_SPAN.finditer(text):
        pieces += [_unlinked(text[place : span.start()]), span.group()]
        place = span.end()
    return "".join([*pieces, _unlinked(text[place:])])


def _unlinked(text: str) -> str:
    return _MARKLIKE.sub(r"\\[\1\\]", _LINK.sub(r"\1", _IMAGE.sub(r"\1", text)))


def _text(segments: Sequence[Segment]) -> str:
    """Sentences that rest on one citation form a paragraph; a block stands alone, its mark after it."""
    paragraphs: list[str] = []
    last: Segment | None = None
    for segment in segments:
        marked = _marked(segment)
        if last and last.kind == segment.kind == "sentence" and last.n == segment.n:
            paragraphs[-1] += f" {marked}"
        else:
            paragraphs.append(marked)
        last = segment
    return "\n\n".join(paragraphs)


def _marked(segment: Segment) -> str:
    apart = "\n\n" if segment.kind in ("code", "table") else " "
    return f"{segment.text}{apart}[{segment.n}]"
