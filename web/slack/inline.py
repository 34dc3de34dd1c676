"""The inside of a paragraph: formatting, code, and what stands for itself, as atoms of mrkdwn."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import nh3
from markdown_it.token import Token

from web.rendering import markdown
from web.slack.mrkdwn import APART, LONGEST_ATOM, cut, escaped, length, words

_MARKS = {"strong": "*", "em": "_", "s": "~"}
_TAG = re.compile(r"</?([A-Za-z][\w-]*+)[^<>]*+>")


def inline(text: str) -> tuple[str, ...]:
    """The atoms of one paragraph of Markdown."""
    return tuple(atoms_of(markdown.parse_inline(text)))


def atoms_of(tokens: Sequence[Token], within: frozenset[str] = frozenset()) -> list[str]:
    """The atoms of a paragraph's tokens, which stand `within` marks already."""
    atoms: list[str] = []
    after_mark = False  # a mark ends only where no letter follows it
    place = 0
    while place < len(tokens):
        token = tokens[place]
        end = closing(tokens, place)
        formatted = ""
        if token.type == "code_inline":
            found = _code(token.content)
            formatted = found[0] if len(found) == 1 else ""
        elif mark := _MARKS.get(token.type.removesuffix("_open")):
            found = atoms_of(tokens[place + 1 : end], within | {mark})
            formatted = "" if mark in within else marked(mark, "".join(found))
        elif token.nesting == 1:  # a link: its text alone
            found = atoms_of(tokens[place + 1 : end], within)
        else:
            found = list(_plain(token))
        if formatted:
            found = [APART + formatted if atoms and atoms[-1][-1:].isalnum() else formatted]
        elif after_mark and found and found[0][:1].isalnum():
            found[0] = APART + found[0]
        atoms += found
        after_mark = bool(formatted) if found else after_mark
        place = end + 1
    return atoms


def closing(tokens: Sequence[Token], place: int) -> int:
    """The place of the token that closes the one at `place`: itself, unless it opens something."""
    depth = 0
    for end in range(place, len(tokens)):
        depth += tokens[end].nesting
        if depth <= 0:
            return end
    return len(tokens) - 1


def marked(mark: str, text: str) -> str:
    """The text in marks; "" where Slack would show the marks instead."""
    if not text or text != text.strip() or "\n" in text or length(text) > LONGEST_ATOM:
        return ""
    return f"{mark}{text}{mark}"


def _plain(token: Token) -> Iterator[str]:
    if token.type == "softbreak":
        yield " "
    elif token.type == "hardbreak":
        yield "\n"
    elif token.type == "html_inline":
        yield from words(without_tags(token.content))
    else:
        yield from words(token.content)


def _code(text: str) -> list[str]:
    """Spans of code. Slack knows no way to write a backtick in one: a letter that looks like it stands there."""
    shown = " ".join(text.replace("`", "ˋ").split())
    return [f"`{escaped(piece)}`" for piece in cut(shown, LONGEST_ATOM)] if shown else []


def without_tags(html: str) -> str:
    """HTML's own tags go; `<your-token>` is text that somebody did not escape."""

    def kept(tag: re.Match[str]) -> str:
        name = tag[1].lower()
        if name == "br":
            return "\n"
        return "" if name in nh3.ALLOWED_TAGS else tag[0]

    return _TAG.sub(kept, html)
