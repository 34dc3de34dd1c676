"""Parses Markdown and renders it as safe HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeAlias

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup

from web.rendering import code_blocks, highlighting
from web.rendering.highlighting import EDGES, MARKING, NAME, Marking
from web.rendering.sanitising import Resolve, balanced_block, balanced_inline, sanitised, trusted
from web.rendering.source_map import Span

Attributes: TypeAlias = dict[str, str | int | float]

LONGEST = 150_000  # characters of an article; more is shown as its source, so that no page takes seconds
_MOST_BRACKETS = 10_000  # each may open a link, which makes it the most expensive character to parse
_LONGEST_HTML = 20_000  # characters of one block of raw HTML
_COLOURED = "coloured"  # the key in a rendering's `env` of the characters coloured so far
_CUSTOM_ANCHOR = re.compile(r"\{\s*+#[\w.:-]++[^{}]*+\}")  # possessive, so linear on hostile text


def parse(markdown: str, marking: Marking | None = None) -> list[Token]:
    """The tokens of `markdown`, with the spans of `marking` marked."""
    return _PARSER.parse(markdown, {MARKING: marking} if marking else {})


def parse_inline(markdown: str, marking: Marking | None = None) -> list[Token]:
    """The tokens of one paragraph's text, likewise."""
    return _PARSER.parseInline(markdown, {MARKING: marking} if marking else {})[0].children or []


def render(tokens: Sequence[Token], resolve: Resolve, label: str = "") -> Markup:
    """Safe HTML. `label` prefixes the names of its boxes."""
    for token in tokens:
        if token.type == "inline":
            token.children = balanced_inline(token.children or [], resolve)
    html = str(_PARSER.renderer.render(_with_boxes(tokens, label), _PARSER.options, {}))
    return Markup(sanitised(html, resolve))


def too_costly(markdown: str) -> bool:
    """Whether rendering would take so long that the `source` is shown instead."""
    return len(markdown) > LONGEST or markdown.count("[") > _MOST_BRACKETS


def source(markdown: str, cite: Span | None = None) -> Markup:
    """Unrendered Markdown, with the span `cite` marked."""
    start, end = cite or (0, 0)
    marked = Markup('<mark id="cited" class="cited">{}</mark>').format(markdown[start:end]) if cite else Markup()
    return Markup('<pre class="source">{}{}{}</pre>').format(markdown[:start], marked, markdown[end:])


def element(tag: str, attrs: Attributes, content: str = "") -> list[Token]:
    """The tokens of an element with text content."""
    inside = [Token("text", "", 0, content=content)] if content else []
    return [Token(f"{tag}_open", tag, 1, attrs=attrs), *inside, Token(f"{tag}_close", tag, -1)]


# Boxes


def _with_boxes(tokens: Sequence[Token], label: str) -> list[Token]:
    """Puts tables and code into scrolling boxes, focusable and uniquely named for keyboards and screen readers."""
    boxed: list[Token] = []
    tables = codes = 0
    for token in tokens:
        if token.type == "table_open":
            tables += 1
            boxed += [_box(f"{label}Table {tables}"), token]
        elif token.type == "table_close":
            boxed += [token, Token("box_close", "div", -1, block=True)]
        elif token.type in ("fence", "code_block"):
            codes += 1
            boxed += _code(token, f"{label}Code {codes}")
        else:
            boxed.append(token)
    return boxed


def _box(name: str) -> Token:
    return Token("box_open", "div", 1, attrs={"class": "scroll", "tabindex": 0, "role": "region", "aria-label": name})


def _code(token: Token, name: str) -> list[Token]:
    language = _declared_language(token)[:40]
    caption = element("span", {"class": "language"}, language) if language else []
    box = _box(f"{name}, {language}" if language else name)
    closing = [Token("box_close", "div", -1), Token("code_box_close", "div", -1, block=True)]
    return [Token("code_box_open", "div", 1, attrs={"class": "code"}), *caption, box, token, *closing]


# The parser


class _Html(RendererHTML):
    """Renders tokens. Attributes of tokens are trusted: raw HTML never becomes an attribute."""

    @staticmethod
    def renderAttrs(token: Token) -> str:  # noqa: N802 - named by the base class
        if token.meta.get("first"):
            token.attrSet("id", "cited")
        if token.type == "mark_open":
            token.attrSet("class", token.meta[NAME])
        if style := str(token.attrs.pop("style", "")):  # the parser's alignment of a table column
            token.attrSet("class", style.removeprefix("text-align:"))
        pairs = [(name, str(value) if name == "href" else trusted(value)) for name, value in token.attrs.items()]
        return "".join(f' {name}="{escapeHtml(value)}"' for name, value in pairs)

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        language = _language(token, env)
        edges = token.meta.get(EDGES, ())
        html = code_blocks.html(token.content, language, (min(edges), max(edges)) if edges else (0, 0))
        if edges:
            first = self.renderAttrs(Token("mark_open", "mark", 1, meta=token.meta))
            html = html.replace("<mark>", f"<mark{first}>", 1)
            html = html.replace("<mark>", f'<mark class="{trusted(token.meta[NAME])}">')
        return f"<pre><code>{html}</code></pre>"

    code_block = fence

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return escapeHtml(self.renderInlineAsText(tokens[idx].children, options, env))

    def html_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        html = tokens[idx].content
        return balanced_block(html) if len(html) <= _LONGEST_HTML else f"<pre>{escapeHtml(html)}</pre>"


def _language(token: Token, env: EnvType) -> str:
    """The language to colour a block in; "" once the page has reached its limit of coloured characters."""
    env[_COLOURED] = env.get(_COLOURED, 0) + len(token.content)
    return _declared_language(token) if env[_COLOURED] <= code_blocks.MOST else ""


def _declared_language(token: Token) -> str:
    return (token.info.split() or [""])[0]


def _without_custom_anchors(state: StateCore) -> None:
    """Removes the anchor from `## Text {#anchor}`: it is stored with the heading and is not part of its text."""
    for before, token in zip(state.tokens, state.tokens[1:], strict=False):
        brace = token.content.rfind("{")
        if before.type == "heading_open" and brace >= 0 and _CUSTOM_ANCHOR.fullmatch(token.content.rstrip(), brace):
            token.content = token.content[:brace].rstrip()


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", renderer_cls=_Html).enable(["table", "strikethrough"])
    parser.core.ruler.before("inline", "custom_anchors", _without_custom_anchors)
    highlighting.install(parser)
    return parser


_PARSER = _parser()  # keeps no state between parses
