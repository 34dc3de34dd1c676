"""Converts the blocks of Markdown to paragraphs of mrkdwn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from markdown_it.token import Token

from web.rendering import markdown
from web.slack.inline import atoms_of, closing, marked, without_tags
from web.slack.mrkdwn import APART, LONGEST_ATOM, Paragraph, cut, escaped, words

_WIDEST_TABLE = 76  # characters that fit Slack's window; wider tables become a list of rows
_BULLETS = ("•", "◦", "▪")


def paragraphs(text: str) -> list[Paragraph]:
    """The paragraphs of a Markdown text. Links become their text: messages link only to what they cite."""
    return list(_Blocks(markdown.parse(text)).paragraphs())


@dataclass(frozen=True, slots=True)
class _List:
    number: int | None  # of its next item; None in a list of bullets


class _Blocks:
    """Converts parsed blocks, keeping track of open lists and quotations."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._lists: list[_List] = []
        self._quotes = 0
        self._item = ""  # bullet or number of the next paragraph, if it begins a list item
        self._close = False  # whether the next paragraph follows without an empty line

    def paragraphs(self) -> Iterator[Paragraph]:
        index = 0
        while index < len(self._tokens):
            token = self._tokens[index]
            if token.type == "table_open":
                end = closing(self._tokens, index)
                yield from _table(self._tokens[index : end + 1])
                index = end
            elif token.type in ("fence", "code_block"):
                yield from self._fence(token.content)
            elif token.type == "inline":
                heading = self._tokens[index - 1].type == "heading_open"
                yield from self._paragraph(atoms_of(token.children or [], frozenset("*" if heading else "")), heading)
            elif token.type == "html_block":
                yield from self._paragraph(list(words(" ".join(without_tags(token.content).split()))), False)
            else:
                self._enter_or_leave(token)
            index += 1

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
        innermost = self._lists[-1]
        indent = "    " * (len(self._lists) - 1)
        if innermost.number is None:
            return f"{indent}{_BULLETS[min(len(self._lists), len(_BULLETS)) - 1]} "
        self._lists[-1] = replace(innermost, number=innermost.number + 1)
        return f"{indent}{innermost.number}. "

    def _paragraph(self, atoms: list[str], heading: bool) -> Iterator[Paragraph]:
        if not any(atom.strip() for atom in atoms):
            return
        if heading and (bold := marked("*", "".join(atoms))):
            atoms = [bold]
        prefix = self._item or ("    " * len(self._lists))
        if self._quotes:
            prefix = "> " + prefix
        yield Paragraph((prefix, *atoms) if prefix else tuple(atoms), self._take_close())

    def _fence(self, code: str) -> Iterator[Paragraph]:
        if self._item:
            yield Paragraph((self._item.rstrip(),), self._take_close())
        for text in fences(code):
            yield Paragraph((text,), self._take_close())

    def _take_close(self) -> bool:
        """Whether the paragraph now begun is close to the one before: true inside a list, except for its first."""
        close, self._item = self._close, ""
        self._close = bool(self._lists)
        return close


def fences(code: str) -> list[str]:
    """Code blocks of limited length, each with its own fences."""
    inside = code.rstrip("\n").replace("```", f"`{APART}`{APART}`")
    return [f"```\n{escaped(piece.strip(chr(10)))}\n```" for piece in cut(inside, LONGEST_ATOM) if piece.strip()]


# Tables


def _table(tokens: Sequence[Token]) -> Iterator[Paragraph]:
    """Fixed-width columns if they fit Slack's window, else a list of rows."""
    rows = list(_rows(tokens))
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    if sum(widths) + 2 * len(widths) <= _WIDEST_TABLE:
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
        lines.insert(1, "  ".join("─" * width for width in widths))
        for text in fences("\n".join(line.rstrip() for line in lines)):
            yield Paragraph((text,))
        return
    names, *others = rows
    for number, row in enumerate(others):
        first, *rest = row
        details = "; ".join(
            f"{name}: {cell}" if name else cell for name, cell in zip(names[1:], rest, strict=True) if cell
        )
        lead = marked("*", "".join(words(first))) or "".join(words(first))
        yield Paragraph(("• ", lead, *words(f" — {details}" if details else "")), close=number > 0)


def _rows(tokens: Sequence[Token]) -> Iterator[list[str]]:
    row: list[str] = []
    for token in tokens:
        if token.type == "inline":
            row.append(" ".join(_text(token.children or []).split()))
        elif token.type == "tr_close":
            yield row
            row = []


def _text(tokens: Sequence[Token]) -> str:
    """The plain text of a cell."""
    breaks = {"softbreak": " ", "hardbreak": " "}
    return "".join(
        breaks.get(token.type, without_tags(token.content) if token.type == "html_inline" else token.content)
        for token in tokens
    )
