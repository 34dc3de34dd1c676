"""Where in a parsed article the cited passage is, and the marks around exactly its characters.

Markdown is parsed from the untouched source, so a passage can never change how its article reads. The places of the
passage's ends are looked up in the block tokens; while a paragraph is tokenised, an empty `boundary` token is put
where each end is passed; every run of text between the two is then wrapped in a mark of its own, so that marks
nest in emphasis and links whatever the passage cuts through.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

Span: TypeAlias = tuple[int, int]  # start and end in code points, end exclusive

PASSAGE = "passage"  # the key of a parse's `env` that holds the Span to mark
CITED = "cited"  # the key of a token's `meta` that holds the Span of its `content` to mark
LONGEST_PARAGRAPH = 10_000  # characters; the inline rules cost up to 16 µs each on hostile text, so more stays plain
_TEXT = ("text", "text_special", "code_inline", "image")
_BREAKS = ("softbreak", "hardbreak")
_CODE = ("fence", "code_block")


@dataclass(slots=True)
class _Boundaries:
    """The places in one paragraph's `source` that are still to be passed."""

    source: str
    ahead: list[int]


def install(parser: MarkdownIt) -> None:
    """Make `parser.parse(markdown, {PASSAGE: span})` mark a span; without one it parses as ever."""
    parser.inline.ruler.before("text", "boundary", _boundary)
    parser.core.ruler.before("inline", "locate", _locate)
    parser.core.ruler.at("inline", _inline)
    parser.core.ruler.push("mark", _mark)


def _locate(state: StateCore) -> None:
    passage: Span | None = state.env.get(PASSAGE)
    if passage is None:
        return
    source = _SourceMap(state.src)
    for token, places in source.places(state.tokens, passage):
        low, high = bisect_left(places, passage[0]), bisect_left(places, passage[1])
        if low < high:
            token.meta[CITED] = (low, high)


class _SourceMap:
    """The lines of an article, and where in it the content of a block token stands."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line) + 1)

    def places(self, tokens: Sequence[Token], passage: Span) -> Iterator[tuple[Token, list[int]]]:
        """The tokens on the passage's lines, each with the offset in the article of every character of its content."""
        first, last = (bisect_right(self._starts, end) - 1 for end in (passage[0], passage[1] - 1))
        column = 0
        for before, token in zip([None, *tokens], tokens, strict=False):
            if token.type == "tr_open":
                column = 0
            if token.type not in ("inline", *_CODE) or not token.map or token.map[1] <= first or token.map[0] > last:
                continue
            if before is not None and before.tag in ("td", "th"):
                places = self._cell(token, column)
                column = places[-1] + 1 - self._starts[token.map[0]] if places else column
                yield token, places
            else:
                yield token, self._block(token, token.map[0] + (token.type == "fence"))

    def _block(self, token: Token, line: int) -> list[int]:
        places: list[int] = []
        for number, text in enumerate(token.content.split("\n"), line):
            source = self._lines[number] if number < len(self._lines) else ""
            bare = text.strip()
            # The content of a line is its end: what stands before are markers of quotations and lists, and indents.
            column = max(0, source.rfind(bare) - text.find(bare))
            start = self._starts[min(number, len(self._lines))]
            places += range(start + column, start + column + len(text))
            places.append(start + len(source))
        return places[:-1]

    def _cell(self, token: Token, column: int) -> list[int]:
        """A cell of a table row, looked for from `column` on. A pipe in a cell is written `\\|`."""
        assert token.map is not None
        written = token.content.replace("|", "\\|")
        place = self._starts[token.map[0]] + max(column, self._lines[token.map[0]].find(written, column))
        places = []
        for character in token.content:
            place += character == "|"
            places.append(place)
            place += 1
        return places


def _inline(state: StateCore) -> None:
    """The parser's own rule, with the boundaries of each paragraph, and a limit."""
    for token in state.tokens:
        if token.type != "inline":
            continue
        if len(token.content) > LONGEST_PARAGRAPH:
            token.children = list(_unparsed(token))
            continue
        boundaries = _Boundaries(token.content, list(token.meta.get(CITED, ())))
        state.env["boundaries"] = boundaries
        token.children = state.md.inline.parse(token.content, state.md, state.env, [])
        token.children += [Token("boundary", "", 0) for _ in boundaries.ahead]


def _unparsed(token: Token) -> Iterator[Token]:
    start, end = token.meta.get(CITED, (0, 0))
    pieces = (token.content[:start], token.content[start:end], token.content[end:])
    for number, piece in enumerate(pieces):
        if number:
            yield Token("boundary", "", 0)
        yield Token("text", "", 0, content=piece)


def _boundary(state: StateInline, silent: bool) -> bool:
    """An inline rule: puts a boundary token where one is passed, and stops plain text at the next one."""
    boundaries: _Boundaries | None = state.env.get("boundaries")
    # Text of its own, such as an image's, is parsed with the same env: its places are not those of the paragraph.
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
    if PASSAGE not in state.env:
        return
    marks: list[Token] = []
    for token in state.tokens:
        if token.type == "inline":
            token.children = _marked(token)
            marks += [child for child in token.children if child.type == "mark_open"]
        elif token.type in _CODE and CITED in token.meta:
            marks.append(token)
    if marks:
        marks[0].meta["first"] = True
    else:
        _point(state.tokens, state.src.count("\n", 0, state.env[PASSAGE][0]))


def _marked(token: Token) -> list[Token]:
    children = token.children or []
    tokens = list(_wrapped(children, inside=False))
    if CITED in token.meta and not any(child.type == "mark_open" for child in tokens):
        # Both ends lie inside one code span or link target: rather too much marked than nothing.
        tokens = list(_wrapped([child for child in children if child.type != "boundary"], inside=True))
    return tokens


def _wrapped(children: Sequence[Token], inside: bool) -> Iterator[Token]:
    marking = False
    for child in children:
        inside ^= child.type == "boundary"
        goes_on = inside and (child.type in _TEXT or (marking and child.type in _BREAKS))
        if marking != goes_on:
            yield Token("mark_open", "mark", 1) if goes_on else Token("mark_close", "mark", -1)
            marking = goes_on
        if child.type != "boundary":
            yield child
    if marking:
        yield Token("mark_close", "mark", -1)


def _point(tokens: list[Token], line: int) -> None:
    """Nothing to mark (raw HTML, say): a place to jump to, before the block on that line."""
    blocks = (i for i, token in enumerate(tokens) if token.level == 0 and token.map and token.map[1] > line)
    place = next(blocks, len(tokens))
    here = Token("here_open", "span", 1, meta={"first": True})
    tokens[place:place] = [here, Token("here_close", "span", -1)]
