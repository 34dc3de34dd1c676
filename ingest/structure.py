"""Parses an article's Markdown into headings and blocks with exact offsets."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from markdown_it import MarkdownIt
from markdown_it.token import Token

from indexes.types import Heading
from ingest.sentences import sentences

BlockKind: TypeAlias = Literal["paragraph", "list", "code", "table", "quote", "other"]
Span: TypeAlias = tuple[int, int]

# Only the block structure is needed; without the inline rule, hostile emphasis cannot take seconds.
_MARKDOWN = MarkdownIt("commonmark").enable("table")
_MARKDOWN.core.ruler.enableOnly(["normalize", "block"])

_KINDS: dict[str, BlockKind] = {
    "paragraph_open": "paragraph",
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "fence": "code",
    "code_block": "code",
    "table_open": "table",
    "blockquote_open": "quote",
    "html_block": "other",
}
_PART = {"list": ("list_item_open", 1), "table": ("tr_open", 2)}
_COMMENT = re.compile(r"\s*<!--.*?-->\s*", re.DOTALL)
# Linear on any text: no character class includes its opening mark, repeats are possessive (`*+`), and a run of
# underscores is only tried from its start, or after an escaped one.
_CUSTOM_ANCHOR = re.compile(r"\{\s*+#([\w.:-]++)[^{}]*+\}\s*+$")
_LINK = re.compile(r"!?\[([^\[\]]*+)\](?:\([^)\]]*+\)|\[[^\[\]]*+\])")
_MARKS = re.compile(r"(?<!\\)(?:[*`~]+|(?<!\w)_+|(?:(?<!_)|(?<=\\_))_++(?!\w))|\\(?=[^\w\s])")


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, list, code block, table or quotation: `markdown[start:end]`.

    `parts`: the items, rows, lines or sentences between which a block that is too long may be cut.
    """

    kind: BlockKind
    start: int
    end: int
    parts: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """The blocks under one heading, without those of its sub-headings; `path`: its heading and those above."""

    path: tuple[str, ...]
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Outline:
    headings: tuple[Heading, ...]
    sections: tuple[Section, ...]


def outline(markdown: str, title: str) -> Outline:
    """Parses an article. A top heading that only repeats `title` is not part of the heading paths."""
    lines = _Lines(markdown)
    headings: list[Heading] = []
    sections: list[Section] = []
    stack: list[Heading] = []
    blocks: list[Block] = []
    anchors: dict[str, int] = {}

    def close() -> None:
        if blocks:
            path = tuple(h.text for h in stack if not (h.level == 1 and _equal_titles(h.text, title)))
            sections.append(Section(path, tuple(blocks)))
            blocks.clear()

    for token, inside in _top_level(_MARKDOWN.parse(markdown)):
        if token.type == "heading_open":
            close()
            heading = _heading(token, inside, lines, anchors)
            headings.append(heading)
            stack[:] = [h for h in stack if h.level < heading.level] + [heading]
        elif block := _block(markdown, token, inside, lines):
            blocks.append(block)
    close()
    return Outline(tuple(headings), tuple(sections))


def plain(inline: str) -> str:
    """Inline Markdown as plain text: link texts without targets, no emphasis or code marks."""
    return " ".join(_MARKS.sub("", _LINK.sub(r"\1", inline)).split())


def heading_text(content: str) -> str:
    """A heading as plain text, without the anchor `{#…}` it may name."""
    return plain(_CUSTOM_ANCHOR.sub("", content))


def slug(text: str) -> str:
    """The anchor of a heading: its words in lower case, joined by hyphens."""
    folded = unicodedata.normalize("NFKC", text).lower()
    return re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", folded).strip()) or "section"


class _Lines:
    """Converts line numbers to code-point offsets."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def span(self, map: Sequence[int]) -> Span:
        """The offsets of lines map[0] to map[1] (exclusive), without white space around them."""
        start = self._offset(map[0])
        end = self._offset(map[1])
        while end > start and self._text[end - 1].isspace():
            end -= 1
        while start < end and self._text[start] == "\n":
            start += 1
        return start, end

    def within(self, start: int, end: int) -> Iterator[Span]:
        """The lines of a span that are not blank."""
        number = bisect_right(self._starts, start) - 1
        while number < len(self._starts) and self._starts[number] < end:
            low, high = max(start, self._starts[number]), min(end, self._offset(number + 1))
            if self._text[low:high].strip():
                yield low, low + len(self._text[low:high].rstrip())
            number += 1

    def _offset(self, line: int) -> int:
        return self._starts[line] if line < len(self._starts) else len(self._text)


def _top_level(tokens: Sequence[Token]) -> Iterator[tuple[Token, Sequence[Token]]]:
    """Each top-level block's opening token with the tokens inside it."""
    index = 0
    while index < len(tokens):
        close = index
        if tokens[index].nesting == 1:
            close = next(i for i in range(index + 1, len(tokens)) if tokens[i].level == tokens[index].level)
        yield tokens[index], tokens[index + 1 : close]
        index = close + 1


def _heading(token: Token, inside: Sequence[Token], lines: _Lines, anchors: dict[str, int]) -> Heading:
    content = inside[0].content
    custom = _CUSTOM_ANCHOR.search(content)
    text = heading_text(content)
    anchor = _unused_anchor(custom.group(1) if custom else slug(text), anchors)
    return Heading(int(token.tag[1]), text, anchor, lines.span(token.map or (0, 0))[0])


def _unused_anchor(name: str, taken: dict[str, int]) -> str:
    """`name`, or `name-1`, `name-2`, … if it is taken; `taken` counts the headings that share each name."""
    anchor = name
    while anchor in taken:
        taken[name] += 1
        anchor = f"{name}-{taken[name]}"
    taken[anchor] = 0
    return anchor


def _block(markdown: str, token: Token, inside: Sequence[Token], lines: _Lines) -> Block | None:
    kind = _KINDS.get(token.type)
    if kind is None or token.map is None:
        return None
    start, end = lines.span(token.map)
    if start >= end or _COMMENT.fullmatch(markdown, start, end):
        return None
    return Block(kind, start, end, tuple(_parts(kind, markdown, (start, end), token, inside, lines)))


def _parts(
    kind: BlockKind, markdown: str, span: Span, token: Token, inside: Sequence[Token], lines: _Lines
) -> Iterator[Span]:
    if kind in _PART:
        opening, depth = _PART[kind]
        for part in inside:
            if part.type == opening and part.level == token.level + depth and part.map:
                yield lines.span(part.map)
    elif kind == "paragraph":
        yield from sentences(markdown, *span)
    else:
        yield from lines.within(*span)


def _equal_titles(one: str, other: str) -> bool:
    return one.casefold().strip() == other.casefold().strip()
