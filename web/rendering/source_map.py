"""Maps the content of parsed block tokens back to offsets in the article's Markdown."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from markdown_it.token import Token

Span: TypeAlias = tuple[int, int]  # start and end in code points, end exclusive

CODE = ("fence", "code_block")


class SourceMap:
    """The lines of an article and their offsets in it."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line) + 1)

    def offsets(self, tokens: Sequence[Token], passage: Span) -> Iterator[tuple[Token, list[int]]]:
        """The tokens on the passage's lines, each with the article offset of every character of its content."""
        first, last = (bisect_right(self._starts, end) - 1 for end in (passage[0], passage[1] - 1))
        column = 0
        for before, token in zip([None, *tokens], tokens, strict=False):
            if token.type == "tr_open":
                column = 0
            if token.type not in ("inline", *CODE) or not token.map or token.map[1] <= first or token.map[0] > last:
                continue
            if before is not None and before.tag in ("td", "th"):
                offsets = self._cell_offsets(token, column)
                column = offsets[-1] + 1 - self._starts[token.map[0]] if offsets else column
                yield token, offsets
            else:
                yield token, self._block_offsets(token, token.map[0] + (token.type == "fence"))

    def _block_offsets(self, token: Token, line: int) -> list[int]:
        """The offsets of a block whose content begins on `line`."""
        offsets: list[int] = []
        for number, text in enumerate(token.content.split("\n"), line):
            source = self._lines[number] if number < len(self._lines) else ""
            bare = text.strip()
            # The content is the end of its line: only indents and the markers of quotations and lists precede it.
            column = max(0, source.rfind(bare) - text.find(bare))
            start = self._starts[min(number, len(self._lines))]
            offsets += range(start + column, start + column + len(text))
            offsets.append(start + len(source))
        return offsets[:-1]

    def _cell_offsets(self, token: Token, column: int) -> list[int]:
        """The offsets of a table cell, searched for from `column` on. A pipe in a cell is written `\\|`."""
        assert token.map is not None
        written = token.content.replace("|", "\\|")
        offset = self._starts[token.map[0]] + max(column, self._lines[token.map[0]].find(written, column))
        offsets = []
        for character in token.content:
            offset += character == "|"
            offsets.append(offset)
            offset += 1
        return offsets
