"""Puts marks around exactly the characters of some spans of a parsed text: a cited passage, the words that answer.

Markdown is parsed from the untouched source, so a span never changes how its text reads. The ends of the spans are
located in the block tokens; while a paragraph is tokenised, an empty `boundary` token is inserted at each end; every
run of text between two of them then gets a mark of its own, so that marks nest within emphasis and links.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from web.rendering.source_map import CODE, SourceMap, Span

MARKING = "marking"  # the key of a parse's `env` that holds the Marking
EDGES = "edges"  # the key of a token's `meta`: start, end, start, end … of what is marked of its `content`
NAME = "name"  # the key of a token's `meta` that holds the class of its marks
LONGEST_PARAGRAPH = 10_000  # characters; the inline rules cost up to 16 µs each on hostile text, so more stays plain
_TEXT = ("text", "text_special", "code_inline", "image")
_BREAKS = ("softbreak", "hardbreak")


@dataclass(frozen=True, slots=True)
class Marking:
    """What to mark of a text: spans in order and apart. `name`: the class of the marks.

    `cited` is one passage that a link leads to, so it always has a place on the page.
    """

    name: Literal["cited", "key"]
    spans: tuple[Span, ...]


@dataclass(slots=True)
class _Boundaries:
    """The ends of the marked spans in one paragraph's `source` that the tokeniser has yet to reach."""

    source: str
    ahead: list[int]


def install(parser: MarkdownIt) -> None:
    """Makes `parser.parse(markdown, {MARKING: marking})` mark spans; without one the parser works as before."""
    parser.inline.ruler.before("text", "boundary", _boundary)
    parser.core.ruler.before("inline", "locate", _locate)
    parser.core.ruler.at("inline", _inline)
    parser.core.ruler.push("mark", _mark)


def _locate(state: StateCore) -> None:
    """Notes in each block token which of its characters are marked."""
    marking: Marking | None = state.env.get(MARKING)
    for span in marking.spans if marking else ():
        for token, offsets in _offsets(state, span):
            start, end = (bisect_left(offsets, edge) for edge in span)
            if start < end:
                token.meta[EDGES] = (*token.meta.get(EDGES, ()), start, end)


def _offsets(state: StateCore, span: Span) -> Iterator[tuple[Token, Sequence[int]]]:
    if state.inlineMode:  # one paragraph: its content is the source
        return iter([(state.tokens[0], range(len(state.src)))])
    return SourceMap(state.src).offsets(state.tokens, span)


def _inline(state: StateCore) -> None:
    """The parser's inline rule, with the boundaries of each paragraph and a limit of length."""
    for token in state.tokens:
        if token.type != "inline":
            continue
        if len(token.content) > LONGEST_PARAGRAPH:
            token.children = list(_plain_tokens(token))
            continue
        boundaries = _Boundaries(token.content, list(token.meta.get(EDGES, ())))
        state.env["boundaries"] = boundaries
        token.children = state.md.inline.parse(token.content, state.md, state.env, [])
        token.children += [Token("boundary", "", 0) for _ in boundaries.ahead]


def _plain_tokens(token: Token) -> Iterator[Token]:
    """A paragraph as plain text, with its boundaries."""
    edges = token.meta.get(EDGES, ())
    for number, (start, end) in enumerate(pairwise((0, *edges, len(token.content)))):
        if number:
            yield Token("boundary", "", 0)
        yield Token("text", "", 0, content=token.content[start:end])


def _boundary(state: StateInline, silent: bool) -> bool:
    """An inline rule: inserts a boundary token where one is reached, and ends plain text at the next one."""
    boundaries: _Boundaries | None = state.env.get("boundaries")
    # Nested text, such as an image's, is parsed with the same env, but its offsets are not the paragraph's.
    if silent or boundaries is None or not boundaries.ahead or boundaries.source is not state.src:
        return False
    while boundaries.ahead and state.pos >= boundaries.ahead[0]:
        boundaries.ahead.pop(0)
        state.push("boundary", "", 0)
    stop = boundaries.ahead[0] if boundaries.ahead else state.posMax
    if stop >= state.posMax or state.md.inline.terminator_re.search(state.src, state.pos, stop):
        return False
    state.append_pending(state.src[state.pos : stop])
    state.pos = stop
    return True


def _mark(state: StateCore) -> None:
    """Wraps what lies between the boundaries in marks; those of a citation get a target for its link."""
    marking: Marking | None = state.env.get(MARKING)
    if marking is None:
        return
    marks: list[Token] = []
    for token in state.tokens:
        if token.type == "inline":
            token.children = _marked_children(token)
            marks += [child for child in token.children if child.type == "mark_open"]
        elif token.type in CODE and EDGES in token.meta:
            marks.append(token)
    for mark in marks:
        mark.meta[NAME] = marking.name
    if marking.name == "cited":
        _set_target(state, marks, marking.spans[0])


def _set_target(state: StateCore, marks: Sequence[Token], passage: Span) -> None:
    if marks:
        marks[0].meta["first"] = True
    else:
        _insert_target(state.tokens, state.src.count("\n", 0, passage[0]))


def _marked_children(token: Token) -> list[Token]:
    children = token.children or []
    tokens = list(_with_marks(children, inside=False))
    if EDGES in token.meta and not any(child.type == "mark_open" for child in tokens):
        # Both ends lie inside one code span or link target: mark the whole paragraph rather than nothing.
        tokens = list(_with_marks([child for child in children if child.type != "boundary"], inside=True))
    return tokens


def _with_marks(children: Sequence[Token], inside: bool) -> Iterator[Token]:
    marking = False
    for child in children:
        inside ^= child.type == "boundary"
        marks_child = inside and (child.type in _TEXT or (marking and child.type in _BREAKS))
        if marking != marks_child:
            yield Token("mark_open", "mark", 1) if marks_child else Token("mark_close", "mark", -1)
            marking = marks_child
        if child.type != "boundary":
            yield child
    if marking:
        yield Token("mark_close", "mark", -1)


def _insert_target(tokens: list[Token], line: int) -> None:
    """Puts an empty jump target before the block on `line`, for a passage without text to mark (raw HTML, say)."""
    blocks = (i for i, token in enumerate(tokens) if token.level == 0 and token.map and token.map[1] > line)
    index = next(blocks, len(tokens))
    opening = Token("target_open", "span", 1, meta={"first": True})
    tokens[index:index] = [opening, Token("target_close", "span", -1)]
