"""Renders code blocks, coloured by Pygments and with the cited passage marked, without changing a character."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from typing import TypeAlias

from markdown_it.common.utils import escapeHtml
from pygments.lexers import get_lexer_by_name
from pygments.token import (
    Comment,
    Generic,
    Keyword,
    Literal,
    Name,
    Number,
    Operator,
    String,
    _TokenType,
)

from web.rendering.sanitising import trusted
from web.rendering.source_map import Span

Piece: TypeAlias = tuple[str, str]  # the class ("" for plain text) and the text

LONGEST = 3_000  # characters of one block: Pygments takes up to 0.5 s for hostile ones of this length
MOST = 15_000  # characters of all blocks of a page

# Lexers that stay within that time on hostile text; code in other languages stays plain.
_LANGUAGES = frozenset(
    """
    bash c console cpp css diff docker dockerfile go golang graphql groovy hcl html http ini java javascript js json
    jsx kotlin lua make makefile nginx php powershell promql proto protobuf pycon py python rb ruby rs rust scala sh
    shell sql swift terraform toml ts tsx typescript xml yaml yml zsh
""".split()
)
_CLASSES: dict[_TokenType, str] = {  # Pygments' short names, for the kinds worth distinguishing
    Comment: "c",
    Keyword: "k",
    Operator.Word: "k",
    String: "s",
    Literal: "s",
    Number: "m",
    Name.Function: "nf",
    Name.Class: "nf",
    Name.Decorator: "nf",
    Name.Tag: "nt",
    Name.Attribute: "na",
    Name.Property: "na",
    Name.Builtin: "nb",
    Name.Variable: "nv",
    Name.Constant: "nb",
    Generic.Inserted: "gi",
    Generic.Deleted: "gd",
    Generic.Heading: "k",
    Generic.Subheading: "k",
    Generic.Prompt: "c",
    Generic.Output: "c",
}


def html(code: str, language: str, cited: Span) -> str:
    """Coloured spans, with `<mark>` around the `cited` characters of `code`.

    One mark encloses all pieces that are cited whole; a piece cited in part has a mark inside, so that marking a
    passage never changes the spans.
    """
    runs = groupby(_parts(code, language, cited), key=lambda part: part[0])
    joined = ((marked, "".join(html for _, html in run)) for marked, run in runs)
    return "".join(f"<mark>{html}</mark>" if marked else html for marked, html in joined)


def _parts(code: str, language: str, cited: Span) -> Iterator[tuple[bool, str]]:
    """The HTML in order, each part with whether it is marked as a whole."""
    offset = 0
    for name, text in pieces(code, language):
        start, end = (min(max(edge - offset, 0), len(text)) for edge in cited)
        offset += len(text)
        before, inside, after = (escapeHtml(part) for part in (text[:start], text[start:end], text[end:]))
        span = f'<span class="{trusted(name)}">{{}}</span>'
        if not name:
            yield from ((marked, part) for marked, part in ((False, before), (True, inside), (False, after)) if part)
        elif inside and (before or after):
            yield False, span.format(f"{before}<mark>{inside}</mark>{after}")
        else:
            yield bool(inside), span.format(before + inside + after)


@lru_cache(maxsize=1024)
def pieces(code: str, language: str) -> tuple[Piece, ...]:
    """`code` in pieces of one class each, which join to `code`; one plain piece if the language is unknown."""
    name = language.casefold()
    if name not in _LANGUAGES or not 0 < len(code) <= LONGEST:
        return (("", code),)
    coloured = tuple(
        _merge_adjacent((_class(kind), text) for _, kind, text in get_lexer_by_name(name).get_tokens_unprocessed(code))
    )
    return coloured if "".join(text for _, text in coloured) == code else (("", code),)


def _class(kind: _TokenType) -> str:
    while kind.parent is not None:
        if kind in _CLASSES:
            return _CLASSES[kind]
        kind = kind.parent
    return ""


def _merge_adjacent(tokens: Iterator[Piece]) -> Iterator[Piece]:
    """Joins adjacent pieces of one class."""
    current, run = "", ""
    for name, text in tokens:
        if name != current and not text.isspace() and run:
            yield current, run
            run = ""
        current = current if run and text.isspace() else name
        run += text
    if run:
        yield current, run
