"""Statements, the pieces that an answer is written in, and the quotations they rest on."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from typing import Literal, TypeAlias

from indexes.types import QuotableKind
from qa.types import Passage, Span

StatementKind: TypeAlias = Literal["sentence", "list", "code", "table"]

# Each reads a text once, however it is made: what is opened and not closed is passed over whole.
CODE_SPAN = re.compile(r"(?<!`)(`++)(?:[^`]++|(?!\1(?!`))`++)*+\1(?!`)")
_TARGET = r"\([^()]*+(?:\([^()]*+\)[^()]*+)*+\)"
_IMAGE = re.compile(rf"!\[([^\[\]]*+)\]{_TARGET}")
_LINK = re.compile(rf"\[([^\[\]]++)\](?:{_TARGET}|\[[^\[\]]*+\])")
_MARKLIKE = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Quote:
    """A span that an answer quotes: `passage.article.markdown[start:end]`. `key`: the places in it that answer."""

    kind: QuotableKind
    passage: Passage
    start: int
    end: int
    key: tuple[Span, ...] = ()

    @property
    def text(self) -> str:
        return self.passage.article.markdown[self.start : self.end]

    def overlaps(self, other: Quote) -> bool:
        same = self.passage.article.id == other.passage.article.id
        return same and self.start < other.end and other.start < self.end

    def touches(self, following: Quote) -> bool:
        """Whether nothing but white space stands between this one and `following` in their article."""
        markdown = self.passage.article.markdown
        same = self.passage.article.id == following.passage.article.id
        return same and self.end <= following.start and not markdown[self.end : following.start].strip()


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence or block of an answer as Markdown without marks, and what it rests on: at least one quotation."""

    kind: StatementKind
    text: str
    quotes: tuple[Quote, ...]


def quoting(quote: Quote) -> Statement:
    """The statement that says nothing but its quotation."""
    if quote.kind == "sentence":
        return Statement("sentence", _prose(" ".join(quote.text.split())), (quote,))
    text = _dedented(quote)
    if quote.kind == "code":
        return Statement("code", text, (quote,))
    return Statement("table" if quote.kind == "table" else "list", _prose(text), (quote,))


def _dedented(quote: Quote) -> str:
    """The block's lines without the indent that its first line has in the article."""
    markdown = quote.passage.article.markdown
    indent = markdown[markdown.rfind("\n", 0, quote.start) + 1 : quote.start]
    return textwrap.dedent((indent if not indent.strip() else "") + quote.text)


def _prose(text: str) -> str:
    """Links become their text (an answer links to what it cites, nothing else); `[3]` of an article is no mark."""
    pieces: list[str] = []
    read = 0
    for span in CODE_SPAN.finditer(text):
        pieces += [_unlinked(text[read : span.start()]), span.group()]
        read = span.end()
    return "".join([*pieces, _unlinked(text[read:])])


def _unlinked(text: str) -> str:
    return _MARKLIKE.sub(r"\\[\1\\]", _LINK.sub(r"\1", _IMAGE.sub(r"\1", text)))
