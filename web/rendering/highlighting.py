"""Puts marks around exactly the characters of the cited passage in a parsed article.

Markdown is parsed from the untouched source, so a passage never changes how its article reads. The passage's ends are
located in the block tokens; while a paragraph is tokenised, an empty `boundary` token is inserted at each end; every
run of text between the two then gets a mark of its own, so that marks nest within emphasis and links.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from web.rendering.source_map import CODE, SourceMap, Span

PASSAGE = "passage"  # the key of a parse's `env` that holds the Span to mark
CITED = "cited"  # the key of a token's `meta` that holds the Span of its `content` to mark
LONGEST_PARAGRAPH = 10_000  # characters; the inline rules cost up to 16 µs each on hostile text, so more stays plain
_TEXT = ("text", "text_special", "code_inline", "image")
_BREAKS = ("softbreak", "hardbreak")


@dataclass(slots=True)
class _Boundaries:
    """The ends of the passage in one paragraph's `source` that the tokeniser has yet to reach."""

    source: str
    ahead: list[int]


def install(parser: MarkdownIt) -> None:
    """Makes `parser.parse(markdown, {PASSAGE: span})` mark the span; without one the parser works as before."""
    parser.inline.ruler.before("text", "boundary", _boundary)
    parser.core.ruler.before("inline", "locate", _locate)
    parser.core.ruler.at("inline", _inline)
    parser.core.ruler.push("mark", _mark)


def _locate(state: StateCore) -> None:
    """Notes in each block token which of its characters are cited."""
    passage: Span | None = state.env.get(PASSAGE)
    if passage is None:
        return
    for token, offsets in SourceMap(state.src).offsets(state.tokens, passage):
        start, end = (bisect_left(offsets, edge) for edge in passage)
        if start < end:
            token.meta[CITED] = (start, end)


def _inline(state: StateCore) -> None:
    """The parser's inline rule, with the boundaries of each paragraph and a limit of length."""
    for token in state.tokens:
        if token.type != "inline":
            continue
        if len(token.content) > LONGEST_PARAGRAPH:
            token.children = list(_plain_tokens(token))
            continue
        boundaries = _Boundaries(token.content, list(token.meta.get(CITED, ())))
        state.env["boundaries"] = boundaries
        token.children = state.md.inline.parse(token.content, state.md, state.env, [])
        token.children += [Token("boundary", "", 0) for _ in boundaries.ahead]


def _plain_tokens(token: Token) -> Iterator[Token]:
    """A paragraph as plain text, with its boundaries."""
    start, end = token.meta.get(CITED, (0, 0))
    pieces = (token.content[:start], token.content[start:end], token.content[end:])
    for number, piece in enumerate(pieces):
        if number:
            yield Token("boundary", "", 0)
        yield Token("text", "", 0, content=piece)


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
    """Wraps what lies between the boundaries in marks, and flags the first one."""
    if PASSAGE not in state.env:
        return
    marks: list[Token] = []
    for token in state.tokens:
        if token.type == "inline":
            token.children = _marked_children(token)
            marks += [child for child in token.children if child.type == "mark_open"]
        elif token.type in CODE and CITED in token.meta:
            marks.append(token)
    if marks:
        marks[0].meta["first"] = True
    else:
        _insert_target(state.tokens, state.src.count("\n", 0, state.env[PASSAGE][0]))


def _marked_children(token: Token) -> list[Token]:
    children = token.children or []
    tokens = list(_with_marks(children, inside=False))
    if CITED in token.meta and not any(child.type == "mark_open" for child in tokens):
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
