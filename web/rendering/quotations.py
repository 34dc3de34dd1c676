"""A quotation as Markdown that stands alone, with the words in it that answer."""

from __future__ import annotations

import re
from dataclasses import dataclass

from indexes.types import Article
from qa.types import Citation
from web.rendering.source_map import Span

_INDENT = re.compile(r"[ \t>]*+")  # of a line in lists and block quotations
_APART = re.compile(r"\n[ \t]*+\n\s*+")


@dataclass(frozen=True, slots=True)
class Quotation:
    """`key`: the spans of `text` that answer, in order and apart."""

    text: str
    key: tuple[Span, ...]

    @classmethod
    def of(cls, citation: Citation, article: Article | None) -> Quotation:
        """The quoted words without the indent that their lines have in `article`; as they are where it is None."""
        key = tuple((span.start - citation.start, span.end - citation.start) for span in citation.key)
        return cls(citation.quote, key)._without_indent(_indent(citation, article) if article else 0)

    def paragraphs(self) -> list[Quotation]:
        """The quotation cut at its empty lines."""
        edges = [0, *(edge for gap in _APART.finditer(self.text) for edge in gap.span()), len(self.text)]
        return [self._part(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True)]

    def _part(self, start: int, end: int) -> Quotation:
        cut = [(max(first, start) - start, min(last, end) - start) for first, last in self.key]
        return Quotation(self.text[start:end], tuple(span for span in cut if span[0] < span[1]))

    def _without_indent(self, width: int) -> Quotation:
        """Without the first `width` characters of indent on every line but the first, which has none."""
        first, *lines = self.text.split("\n")
        text, gone, offset = first, 0, len(first) + 1
        removed = [0] * offset  # by offset in the text as it was: characters removed before it
        for line in lines:
            indent = _INDENT.match(line)
            less = min(width, indent.end()) if indent else 0
            text += "\n" + line[less:]
            removed += [gone + min(column, less) for column in range(len(line) + 1)]
            gone += less
        return Quotation(text, tuple((start - removed[start], end - removed[end]) for start, end in self.key))


def _indent(citation: Citation, article: Article) -> int:
    """Characters of indent that the quotation's first line has in its article, before the quotation."""
    line = article.markdown.rfind("\n", 0, citation.start) + 1
    before = article.markdown[line : citation.start]
    return len(before) if _INDENT.fullmatch(before) else 0
