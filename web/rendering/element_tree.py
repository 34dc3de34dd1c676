"""Converts a fragment of a page to data for the browser.

A tree is text or `[tag, attributes, *children]`. The browser builds it with `createElement` and `textContent`, so that
it never parses HTML, and one template serves pages with and without JavaScript.
"""

from __future__ import annotations

from collections.abc import Sequence
from html.parser import HTMLParser
from typing import TypeAlias, Union

Tree: TypeAlias = str | list[Union[str, dict[str, str], "Tree"]]

_VOID = frozenset(("br", "hr", "input", "wbr"))


def tree(html: str) -> list[Tree]:
    """The elements of well-formed HTML from our own templates, without the space between blocks."""
    parser = _TreeParser()
    parser.feed(html)
    parser.close()
    return parser.top


class _TreeParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.top: list[Tree] = []
        self._open: list[list[Tree]] = [self.top]
        self._verbatim = 0  # open elements in which white space is kept

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        element: list[Tree] = [tag, {name: value or "" for name, value in attrs}]  # type: ignore[list-item]
        self._open[-1].append(element)  # type: ignore[arg-type]
        if tag not in _VOID:
            self._open.append(element)
            self._verbatim += tag in ("pre", "textarea")

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            self._open.pop()
            self._verbatim -= tag in ("pre", "textarea")

    def handle_data(self, data: str) -> None:
        if data.strip() or self._verbatim or "\n" not in data:
            self._open[-1].append(data)
