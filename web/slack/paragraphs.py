"""The blocks of Markdown, as paragraphs of mrkdwn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from markdown_it.token import Token

from web.rendering import markdown
from web.slack.inline import atoms_of, closing, marked, without_tags
from web.slack.mrkdwn import APART, LONGEST_ATOM, Paragraph, cut, escaped, words

_WIDEST_TABLE = 76  # characters; a wider one is told row by row
_BULLETS = ("•", "◦", "▪")


def paragraphs(text: str) -> list[Paragraph]:
    """The blocks of Markdown. Links become their text: a message links to what it cites, nothing else."""
    return list(_Blocks(markdown.parse(text)).paragraphs())


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
                end = closing(self._tokens, place)
                yield from _table(self._tokens[place : end + 1])
                place = end
            elif token.type in ("fence", "code_block"):
                yield from self._fence(token.content)
            elif token.type == "inline":
                heading = self._tokens[place - 1].type == "heading_open"
                yield from self._paragraph(atoms_of(token.children or [], frozenset("*" if heading else "")), heading)
            elif token.type == "html_block":
                yield from self._paragraph(list(words(" ".join(without_tags(token.content).split()))), False)
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
        if heading and (bold := marked("*", "".join(atoms))):
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
    inside = code.rstrip("\n").replace("```", f"`{APART}`{APART}`")
    return [f"```\n{escaped(piece.strip(chr(10)))}\n```" for piece in cut(inside, LONGEST_ATOM) if piece.strip()]


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
        lead = marked("*", "".join(words(first))) or "".join(words(first))
        yield Paragraph(("• ", lead, *words(f" — {told}" if told else "")), close=place > 0)


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
        shown.get(token.type, without_tags(token.content) if token.type == "html_inline" else token.content)
        for token in tokens
    )
