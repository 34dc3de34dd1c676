"""Markdown to Slack's mrkdwn, in pieces that may be put into messages of limited length.

A paragraph is a sequence of atoms: a word, a link, a span of code. A message may end between two atoms, never inside
one, so no link, escape or fence is ever cut. https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import nh3
from markdown_it.token import Token

from web import markdown

_APART = "\u200b"  # no width; Slack takes it for a space, so a mark beside it opens nothing, and one behind it may
_LONGEST_ATOM = 2_000  # characters, escaped
_WIDEST_TABLE = 76  # characters; a wider one is told row by row
_MARKS = {"strong": "*", "em": "_", "s": "~"}
_BULLETS = ("•", "◦", "▪")
_OPENING = re.compile(r"(?<![\w*_~`])([*_~`]+)(?=[^\s*_~`])")
_WORD = re.compile(r"\S+\s*|\s+")
_TAG = re.compile(r"</?([A-Za-z][\w-]*+)[^<>]*+>")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Atoms in reading order. `close`: it follows the paragraph before it without an empty line."""

    atoms: tuple[str, ...]
    close: bool = False

    def __str__(self) -> str:
        return "".join(self.atoms)


def escaped(text: str) -> str:
    """Text that shows as it is and mentions nobody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def literal(text: str) -> str:
    """Escaped text whose asterisks, underscores and the like are no formatting."""
    return escaped(_OPENING.sub(rf"\1{_APART}", text))


def link(url: str, label: str) -> str:
    """`label` is plain text. An address that is not absolute gives the label alone: Slack knows no other links."""
    if not re.match(r"https?://", url):
        return literal(label)
    target = url.replace("|", "%7C").replace("<", "%3C").replace(">", "%3E").replace(" ", "%20")
    return f"<{escaped(target)}|{literal(' '.join(label.split()))}>"


def length(text: str) -> int:
    """Characters as Slack's clients count them: UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def paragraphs(text: str) -> list[Paragraph]:
    """The blocks of Markdown. Links become their text: a message links to what it cites, nothing else."""
    return list(_Blocks(markdown.parse(text)).paragraphs())


def inline(text: str) -> tuple[str, ...]:
    """The atoms of one paragraph of Markdown."""
    return tuple(_inline(markdown.parse_inline(text)))


def words(text: str) -> tuple[str, ...]:
    """The atoms of plain text."""
    return tuple(_words(text))


def fitted(paragraphs: Sequence[Paragraph], most: int) -> list[str]:
    """Texts of at most `most` characters that hold the paragraphs in order; broken between atoms where one must be."""
    texts: list[str] = []
    text = ""
    for paragraph in paragraphs:
        gap = ("\n" if paragraph.close else "\n\n") if text else ""
        if length(text + gap + str(paragraph)) <= most:
            text += gap + str(paragraph)
            continue
        texts.append(text)
        text = ""
        for atom in paragraph.atoms:
            if length(text + atom) > most:
                texts.append(text)
                text = ""
            text += atom if text else atom.lstrip("\n")
    return [text.rstrip() for text in [*texts, text] if text.strip()]


# Inside a paragraph


def _inline(tokens: Sequence[Token], within: frozenset[str] = frozenset()) -> list[str]:
    atoms: list[str] = []
    after_mark = False  # a mark ends only where no letter follows it
    place = 0
    while place < len(tokens):
        token = tokens[place]
        end = _closing(tokens, place)
        formatted = ""
        if token.type == "code_inline":
            found = _code(token.content)
            formatted = found[0] if len(found) == 1 else ""
        elif mark := _MARKS.get(token.type.removesuffix("_open")):
            found = _inline(tokens[place + 1 : end], within | {mark})
            formatted = "" if mark in within else _marked(mark, "".join(found))
        elif token.nesting == 1:  # a link: its text alone
            found = _inline(tokens[place + 1 : end], within)
        else:
            found = list(_plain(token))
        if formatted:
            found = [_APART + formatted if atoms and atoms[-1][-1:].isalnum() else formatted]
        elif after_mark and found and found[0][:1].isalnum():
            found[0] = _APART + found[0]
        atoms += found
        after_mark = bool(formatted) if found else after_mark
        place = end + 1
    return atoms


def _closing(tokens: Sequence[Token], place: int) -> int:
    """The place of the token that closes the one at `place`: itself, unless it opens something."""
    depth = 0
    for end in range(place, len(tokens)):
        depth += tokens[end].nesting
        if depth <= 0:
            return end
    return len(tokens) - 1


def _marked(mark: str, text: str) -> str:
    """The text in marks; "" where Slack would show the marks instead."""
    if not text or text != text.strip() or "\n" in text or length(text) > _LONGEST_ATOM:
        return ""
    return f"{mark}{text}{mark}"


def _plain(token: Token) -> Iterator[str]:
    if token.type == "softbreak":
        yield " "
    elif token.type == "hardbreak":
        yield "\n"
    elif token.type == "html_inline":
        yield from _words(_without_tags(token.content))
    elif token.type == "image":
        yield from _words(token.content)
    else:
        yield from _words(token.content)


def _words(text: str) -> Iterator[str]:
    for word in _WORD.findall(text):
        yield from (literal(piece) for piece in _cut(word, _LONGEST_ATOM))


def _code(text: str) -> list[str]:
    """Spans of code. Slack knows no way to write a backtick in one: a letter that looks like it stands there."""
    shown = " ".join(text.replace("`", "ˋ").split())
    return [f"`{escaped(piece)}`" for piece in _cut(shown, _LONGEST_ATOM)] if shown else []


def _without_tags(html: str) -> str:
    """HTML's own tags go; `<your-token>` is text that somebody did not escape."""

    def kept(tag: re.Match[str]) -> str:
        name = tag[1].lower()
        if name == "br":
            return "\n"
        return "" if name in nh3.ALLOWED_TAGS else tag[0]

    return _TAG.sub(kept, html)


def _cut(text: str, most: int) -> Iterator[str]:
    """Pieces of at most `most` characters once they are escaped, ended after a line where there is one."""
    while text:
        end, used = 0, 0
        while end < len(text) and (used := used + length(escaped(text[end]))) <= most:
            end += 1
        if end < len(text):
            end = text.rfind("\n", 0, end) + 1 or max(end, 1)
        yield text[:end]
        text = text[end:]


# Blocks


@dataclass(frozen=True, slots=True)
class _List:
    number: int | None  # of its next item; None in a list of bullets


class _Blocks:
    """Walks the blocks of parsed Markdown."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._lists: list[_List] = []
        self._quotes = 0
        self._item = ""  # what the next paragraph begins with, if it is the first of a list's item
        self._close = False

    def paragraphs(self) -> Iterator[Paragraph]:
        place = 0
        while place < len(self._tokens):
            token = self._tokens[place]
            if token.type == "table_open":
                end = _closing(self._tokens, place)
                yield from _table(self._tokens[place : end + 1])
                place = end
            elif token.type in ("fence", "code_block"):
                yield from self._fence(token.content)
            elif token.type == "inline":
                heading = self._tokens[place - 1].type == "heading_open"
                yield from self._paragraph(_inline(token.children or [], frozenset("*" if heading else "")), heading)
            elif token.type == "html_block":
                yield from self._paragraph(list(_words(" ".join(_without_tags(token.content).split()))), False)
            else:
                self._enter_or_leave(token)
            place += 1

    def _enter_or_leave(self, token: Token) -> None:
        if token.type in ("bullet_list_open", "ordered_list_open"):
            start = int(token.attrGet("start") or 1) if token.type == "ordered_list_open" else None
            self._close = bool(self._lists)
            self._lists.append(_List(start))
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            self._lists.pop()
            self._close = bool(self._lists)
        elif token.type == "list_item_open":
            self._item = self._next_item()
        elif token.type in ("blockquote_open", "blockquote_close"):
            self._quotes += token.nesting

    def _next_item(self) -> str:
        own = self._lists[-1]
        indent = "    " * (len(self._lists) - 1)
        if own.number is None:
            return f"{indent}{_BULLETS[min(len(self._lists), len(_BULLETS)) - 1]} "
        self._lists[-1] = replace(own, number=own.number + 1)
        return f"{indent}{own.number}. "

    def _paragraph(self, atoms: list[str], heading: bool) -> Iterator[Paragraph]:
        if not any(atom.strip() for atom in atoms):
            return
        if heading and (bold := _marked("*", "".join(atoms))):
            atoms = [bold]
        before = self._item or ("    " * len(self._lists))
        if self._quotes:
            before = "> " + before
        yield Paragraph((before, *atoms) if before else tuple(atoms), self._follows())

    def _fence(self, code: str) -> Iterator[Paragraph]:
        if self._item:
            yield Paragraph((self._item.rstrip(),), self._follows())
        for text in fences(code):
            yield Paragraph((text,), self._follows())

    def _follows(self) -> bool:
        """Whether the paragraph now begun stands close to the one before: inside a list all do, but for its first."""
        close, self._item = self._close, ""
        self._close = bool(self._lists)
        return close


def fences(code: str) -> list[str]:
    """Blocks of code, each closed in itself."""
    inside = code.rstrip("\n").replace("```", f"`{_APART}`{_APART}`")
    return [f"```\n{escaped(piece.strip(chr(10)))}\n```" for piece in _cut(inside, _LONGEST_ATOM) if piece.strip()]


# Tables


def _table(tokens: Sequence[Token]) -> Iterator[Paragraph]:
    """In columns of a fixed width, if Slack's window is wide enough for them; else row by row."""
    rows = list(_rows(tokens))
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    if sum(widths) + 2 * len(widths) <= _WIDEST_TABLE:
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
        lines.insert(1, "  ".join("─" * width for width in widths))
        for text in fences("\n".join(line.rstrip() for line in lines)):
            yield Paragraph((text,))
        return
    names, *others = rows
    for place, row in enumerate(others):
        first, *rest = row
        told = "; ".join(
            f"{name}: {cell}" if name else cell for name, cell in zip(names[1:], rest, strict=True) if cell
        )
        lead = _marked("*", "".join(_words(first))) or "".join(_words(first))
        yield Paragraph(("• ", lead, *_words(f" — {told}" if told else "")), close=place > 0)


def _rows(tokens: Sequence[Token]) -> Iterator[list[str]]:
    row: list[str] = []
    for token in tokens:
        if token.type == "inline":
            row.append(" ".join(_text(token.children or []).split()))
        elif token.type == "tr_close":
            yield row
            row = []


def _text(tokens: Sequence[Token]) -> str:
    """The words of a cell."""
    shown = {"softbreak": " ", "hardbreak": " "}
    return "".join(
        shown.get(token.type, _without_tags(token.content) if token.type == "html_inline" else token.content)
        for token in tokens
    )
