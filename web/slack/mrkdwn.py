"""Slack's mrkdwn, in pieces that can be distributed over messages of limited length.

A paragraph is a sequence of atoms: a word, a link, a code span. A message may end between two atoms, never inside one,
so no link, escape or fence is ever cut. https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

APART = "\u200b"  # zero width, but a space to Slack: no mark opens before it, and one may open after it
LONGEST_ATOM = 2_000  # characters, escaped
_OPENING = re.compile(r"(?<![\w*_~`])([*_~`]+)(?=[^\s*_~`])")
_WORD = re.compile(r"\S+\s*|\s+")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Atoms in reading order. `close`: no empty line separates it from the paragraph before."""

    atoms: tuple[str, ...]
    close: bool = False

    def __str__(self) -> str:
        return "".join(self.atoms)


def escaped(text: str) -> str:
    """Text that shows literally and mentions nobody; formatting marks still count."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def literal(text: str) -> str:
    """Escaped text in which asterisks, underscores and the like do not format."""
    return escaped(_OPENING.sub(rf"\1{APART}", text))


def link(url: str, label: str) -> str:
    """A link with a plain-text label; only the label if the address is not absolute, as Slack requires."""
    if not re.match(r"https?://", url):
        return literal(label)
    target = url.replace("|", "%7C").replace("<", "%3C").replace(">", "%3E").replace(" ", "%20")
    return f"<{escaped(target)}|{literal(' '.join(label.split()))}>"


def length(text: str) -> int:
    """Characters as Slack's clients count them: UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def words(text: str) -> tuple[str, ...]:
    """The atoms of plain text."""
    return tuple(literal(piece) for word in _WORD.findall(text) for piece in cut(word, LONGEST_ATOM))


def fitted(paragraphs: Sequence[Paragraph], most: int) -> list[str]:
    """Texts of at most `most` characters with the paragraphs in order; long ones are broken between atoms."""
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


def cut(text: str, most: int) -> Iterator[str]:
    """Pieces of at most `most` characters when escaped, cut after a line break where there is one."""
    while text:
        end, used = 0, 0
        while end < len(text) and (used := used + length(escaped(text[end]))) <= most:
            end += 1
        if end < len(text):
            end = text.rfind("\n", 0, end) + 1 or max(end, 1)
        yield text[:end]
        text = text[end:]
