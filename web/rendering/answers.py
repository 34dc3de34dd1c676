"""How does an answer become HTML, each sentence and block with its footnote?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from markdown_it.token import Token
from markupsafe import Markup

from qa.types import Answer, Citation, Segment
from web.rendering import markdown
from web.rendering.markdown import Attributes, element
from web.rendering.sanitising import leads_somewhere

_GAPS = {
    "paragraph_close": " ",
    "heading_close": " ",
    "softbreak": " ",
    "hardbreak": " ",
    "th_close": " · ",
    "td_close": " · ",
}


def answer(answer: Answer, label: str = "") -> Markup:
    """An answer's segments, each sentence and block followed by its footnote. `label` begins the names of its boxes."""
    citations = {citation.n: citation for citation in answer.citations}
    tokens: list[Token] = []
    for (kind, marks), run in groupby(answer.segments, key=lambda segment: (segment.kind, segment.marks)):
        shown = _paragraph if kind == "sentence" else _blocks
        tokens += shown(list(run), [citations[n] for n in marks])
    return markdown.render(tokens, leads_somewhere, label)


def plain(text: str, most: int) -> str:
    """The words of Markdown without its marks, cut after about `most` characters."""
    pieces = [token.content for token in _flat(markdown.parse(text[: most * 4]))]
    words = " ".join("".join(pieces).split())
    return words if len(words) <= most else f"{words[:most].rsplit(' ', 1)[0]} …"


def _flat(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        if token.type == "inline":
            yield from _flat(token.children or [])
        elif token.type not in ("html_block", "html_inline"):
            yield token if token.content else Token("text", "", 0, content=_GAPS.get(token.type, ""))


def _paragraph(run: Sequence[Segment], cited: Sequence[Citation]) -> list[Token]:
    children: list[Token] = []
    for segment in run:
        children += [Token("text", "", 0, content=" ")] if children else []
        children += [*markdown.parse_inline(segment.text), *_footnotes(cited)]
    return _wrapped(children, {})


def _blocks(run: Sequence[Segment], cited: Sequence[Citation]) -> list[Token]:
    # Items of one list are quoted one by one: together they are a list again.
    between = "\n" if run[0].kind == "list" else "\n\n"
    blocks = markdown.parse(between.join(segment.text for segment in run))
    return [*blocks, *_wrapped(_footnotes(cited), {"class": "after"})]


def _wrapped(children: list[Token], attrs: Attributes) -> list[Token]:
    inline = Token("inline", "", 0, children=children)
    return [Token("paragraph_open", "p", 1, attrs=attrs), inline, Token("paragraph_close", "p", -1, block=True)]


def _footnotes(cited: Sequence[Citation]) -> list[Token]:
    return [token for citation in cited for token in _footnote(citation)]


def _footnote(citation: Citation) -> list[Token]:
    place = " › ".join((citation.title, *citation.heading))
    attrs: Attributes = {
        "class": "cite",
        "href": citation.url,
        "title": place,
        "aria-label": f"Source {citation.n}: {place}",
    }
    return element("a", attrs, f"[{citation.n}]")
