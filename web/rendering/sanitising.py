"""Decides which tags, attributes and addresses of an article reach a page.

Two lines of defence: raw HTML is reduced to known tags, each closed where it was opened, before it is joined with the
rest; then nh3 lets only an allow-list through. Attributes that affect the page (id, class, role…) pass only with a
random prefix drawn when the process starts, so that an article cannot set them.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from typing import Literal, TypeAlias

import nh3
from markdown_it.common.utils import escapeHtml
from markdown_it.token import Token

Resolve: TypeAlias = Callable[[str], str | None]  # a link's target → its address on our pages, None to drop the link
_Event: TypeAlias = tuple[Literal["open", "close", "text"], str, str]  # kind, tag or text, target of a link

_DEEPEST = 50  # nested elements of raw HTML; the tags of deeper ones are dropped
_TRUSTED = f"{secrets.token_hex(8)}:"
_INLINE = {
    "a",
    "abbr",
    "b",
    "cite",
    "code",
    "del",
    "em",
    "i",
    "ins",
    "kbd",
    "mark",
    "q",
    "s",
    "samp",
    "small",
    "strong",
    "sub",
    "sup",
    "u",
    "var",
}
_BLOCK = {
    "blockquote",
    "caption",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "li",
    "ol",
    "p",
    "pre",
    "summary",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "ul",
}
_VOID = {"br", "hr"}
_TRUSTED_ATTRIBUTES = {"id", "class", "role", "tabindex", "aria-label", "title", "start"}


def trusted(value: object) -> str:
    """The value of an attribute that we set, in the form that `sanitised` lets through."""
    return f"{_TRUSTED}{value}"


def sanitised(html: str, resolve: Resolve) -> str:
    """Only known tags, `trusted` attributes and links that `resolve`."""

    def filtered(tag: str, attribute: str, value: str) -> str | None:
        if attribute == "href":
            return resolve(value)
        if attribute == "rel":  # set by nh3 itself; articles may not set it
            return value
        return value.removeprefix(_TRUSTED) if value.startswith(_TRUSTED) else None

    return nh3.clean(
        html,
        tags=_INLINE | _BLOCK | _VOID | {"span"},
        attributes={"*": _TRUSTED_ATTRIBUTES, "a": {"href"}},
        attribute_filter=filtered,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
    )


def absolute_target(target: str) -> str | None:
    """The target if it is a full address, a fragment or a path of this site; None for a relative path."""
    return target if re.match(r"https?://|mailto:|#|/(?!/)", target, re.IGNORECASE) else None


# Raw HTML inside a paragraph


def balanced_inline(children: Sequence[Token], resolve: Resolve) -> list[Token]:
    """The tokens of a paragraph; hides links that do not `resolve` and raw tags not closed within their parent."""
    balanced: list[Token] = []
    opened: list[Token] = []
    for child in children:
        token = _raw_tag(child) if child.type == "html_inline" else child
        if token.nesting == 1:
            token.hidden = token.tag == "a" and resolve(str(token.attrGet("href") or "")) is None
            opened.append(token)
        elif token.nesting == -1 and not _closes(token, opened):
            continue
        balanced.append(token)
    for token in opened:
        token.hidden = True
    return balanced


def _closes(token: Token, opened: list[Token]) -> bool:
    if token.type == "raw_close" and not (opened and opened[-1].type == "raw_open" and opened[-1].tag == token.tag):
        return False
    while token.type != "raw_close" and opened[-1].type == "raw_open":
        opened.pop().hidden = True
    token.hidden = opened.pop().hidden
    return True


def _raw_tag(child: Token) -> Token:
    events = _events(child.content)
    kind, tag, href = events[0] if events else ("text", "", "")
    if kind == "open" and tag == "br":
        return Token("hardbreak", "br", 0)
    if kind == "text" or tag not in _INLINE:
        return Token("text", "", 0)  # the tag is dropped; what it encloses stays as text
    if kind == "close":
        return Token("raw_close", tag, -1)
    return Token("raw_open", tag, 1, attrs={"href": href} if tag == "a" else {})


# Raw HTML of a block


def balanced_block(html: str) -> str:
    """A block of raw HTML with only known tags, all closed and no inline element around a block.

    A browser reopens an unclosed inline element in every later block: unbalanced, a page of tags becomes millions of
    elements.
    """
    page = _BalancedHtml()
    for kind, name, href in _events(html):
        if kind == "text":
            page.text(name)
        elif kind == "open" and name in _INLINE | _BLOCK | _VOID:
            page.open(name, href)
        elif kind == "close":
            page.close(name)
    return page.whole()


class _BalancedHtml:
    """HTML being written, with its open elements."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._opened: list[str] = []

    def text(self, text: str) -> None:
        self._out.append(escapeHtml(text))

    def open(self, tag: str, href: str) -> None:
        if tag not in _INLINE:
            self._close_until(_BLOCK - {"p"})
        if tag in _VOID or len(self._opened) < _DEEPEST:
            self._out.append(f'<{tag} href="{escapeHtml(href)}">' if href else f"<{tag}>")
            self._opened += [tag] if tag not in _VOID else []

    def close(self, tag: str) -> None:
        if tag in self._opened:
            self._close_until({tag})
            self._out.append(f"</{self._opened.pop()}>")

    def whole(self) -> str:
        self._close_until(set())
        return "".join(self._out)

    def _close_until(self, tags: set[str]) -> None:
        while self._opened and self._opened[-1] not in tags:
            self._out.append(f"</{self._opened.pop()}>")


class _EventParser(HTMLParser):
    """Collects the tags and texts of raw HTML, without the content of scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[_Event] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.events.append(("open", tag, dict(attrs).get("href") or ""))

    def handle_endtag(self, tag: str) -> None:
        self.events.append(("close", tag, ""))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem is None:
            self.events.append(("text", data, ""))


def _events(html: str) -> list[_Event]:
    parser = _EventParser()
    parser.feed(html)
    parser.close()
    return parser.events
