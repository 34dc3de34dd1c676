"""Renders an answer as HTML, each sentence and block with its footnote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from markdown_it.token import Token
from markupsafe import Markup

from qa.types import Answer, Citation, Segment
from web.rendering import markdown
from web.rendering.markdown import Attributes, element
from web.rendering.sanitising import absolute_target

_SEPARATORS = {  # plain text in place of the tokens that end a piece
    "paragraph_close": " ",
    "heading_close": " ",
    "softbreak": " ",
    "hardbreak": " ",
    "th_close": " · ",
    "td_close": " · ",
}


def answer(answer: Answer, label: str = "") -> Markup:
    """An answer's segments, each followed by its footnote. `label` prefixes the names of its boxes."""
    citations = {citation.n: citation for citation in answer.citations}
    tokens: list[Token] = []
    for (kind, marks), run in groupby(answer.segments, key=lambda segment: (segment.kind, segment.marks)):
        tokens_of = _sentence_tokens if kind == "sentence" else _block_tokens
        tokens += tokens_of(list(run), [citations[n] for n in marks])
    return markdown.render(tokens, absolute_target, label)


def plain_text(text: str, most: int) -> str:
    """The words of Markdown without its markup, cut after about `most` characters."""
    pieces = [token.content for token in _leaf_tokens(markdown.parse(text[: most * 4]))]
    words = " ".join("".join(pieces).split())
    return words if len(words) <= most else f"{words[:most].rsplit(' ', 1)[0]} …"


def _leaf_tokens(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        if token.type == "inline":
            yield from _leaf_tokens(token.children or [])
        elif token.type not in ("html_block", "html_inline"):
            yield token if token.content else Token("text", "", 0, content=_SEPARATORS.get(token.type, ""))


def _sentence_tokens(run: Sequence[Segment], cited: Sequence[Citation]) -> list[Token]:
    children: list[Token] = []
    for segment in run:
        children += [Token("text", "", 0, content=" ")] if children else []
        children += [*markdown.parse_inline(segment.text), *_footnotes(cited)]
    return _paragraph_tokens(children, {})


def _block_tokens(run: Sequence[Segment], cited: Sequence[Citation]) -> list[Token]:
    # The items of a list are cited one by one; joined they render as one list again.
    between = "\n" if run[0].kind == "list" else "\n\n"
    blocks = markdown.parse(between.join(segment.text for segment in run))
    return [*blocks, *_paragraph_tokens(_footnotes(cited), {"class": "after"})]


def _paragraph_tokens(children: list[Token], attrs: Attributes) -> list[Token]:
    inline = Token("inline", "", 0, children=children)
    return [Token("paragraph_open", "p", 1, attrs=attrs), inline, Token("paragraph_close", "p", -1, block=True)]


def _footnotes(cited: Sequence[Citation]) -> list[Token]:
    return [token for citation in cited for token in _footnote(citation)]


def _footnote(citation: Citation) -> list[Token]:
    path = " › ".join((citation.title, *citation.heading))
    attrs: Attributes = {
        "class": "cite",
        "href": citation.url,
        "title": path,
        "aria-label": f"Source {citation.n}: {path}",
    }
    return element("a", attrs, f"[{citation.n}]")
