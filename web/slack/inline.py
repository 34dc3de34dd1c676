"""Converts the inline content of a paragraph (formatting, code, text) to atoms of mrkdwn."""

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
    """The atoms of a paragraph's tokens that are already `within` these marks."""
    atoms: list[str] = []
    after_mark = False  # Slack closes a mark only if no letter follows it
    index = 0
    while index < len(tokens):
        token = tokens[index]
        end = closing(tokens, index)
        formatted = ""
        if token.type == "code_inline":
            inner = _code_spans(token.content)
            formatted = inner[0] if len(inner) == 1 else ""
        elif mark := _MARKS.get(token.type.removesuffix("_open")):
            inner = atoms_of(tokens[index + 1 : end], within | {mark})
            formatted = "" if mark in within else marked(mark, "".join(inner))
        elif token.nesting == 1:  # a link: only its text
            inner = atoms_of(tokens[index + 1 : end], within)
        else:
            inner = list(_text_atoms(token))
        if formatted:
            inner = [APART + formatted if atoms and atoms[-1][-1:].isalnum() else formatted]
        elif after_mark and inner and inner[0][:1].isalnum():
            inner[0] = APART + inner[0]
        atoms += inner
        after_mark = bool(formatted) if inner else after_mark
        index = end + 1
    return atoms


def closing(tokens: Sequence[Token], start: int) -> int:
    """The index of the token that closes the one at `start`: `start` itself, unless it opens something."""
    depth = 0
    for end in range(start, len(tokens)):
        depth += tokens[end].nesting
        if depth <= 0:
            return end
    return len(tokens) - 1


def marked(mark: str, text: str) -> str:
    """The text between marks; "" where Slack would show the marks literally."""
    if not text or text != text.strip() or "\n" in text or length(text) > LONGEST_ATOM:
        return ""
    return f"{mark}{text}{mark}"


def _text_atoms(token: Token) -> Iterator[str]:
    if token.type == "softbreak":
        yield " "
    elif token.type == "hardbreak":
        yield "\n"
    elif token.type == "html_inline":
        yield from words(without_tags(token.content))
    else:
        yield from words(token.content)


def _code_spans(text: str) -> list[str]:
    """Code spans. Slack cannot escape a backtick in code, so a lookalike letter replaces it."""
    code = " ".join(text.replace("`", "ˋ").split())
    return [f"`{escaped(piece)}`" for piece in cut(code, LONGEST_ATOM)] if code else []


def without_tags(html: str) -> str:
    """The text without HTML's tags; `<your-token>` is no tag but unescaped text, and stays."""

    def replacement(tag: re.Match[str]) -> str:
        name = tag[1].lower()
        if name == "br":
            return "\n"
        return "" if name in nh3.ALLOWED_TAGS else tag[0]

    return _TAG.sub(replacement, html)
