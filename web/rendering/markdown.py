"""How is Markdown read, and how do its blocks look on a page?"""

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
from web.rendering.highlighting import CITED, PASSAGE, Span
from web.rendering.sanitising import Resolve, balanced, own, sanitised, settled

Attributes: TypeAlias = dict[str, str | int | float]

LONGEST = 150_000  # characters of an article; more is shown as its source, so that no page takes seconds
_MOST_BRACKETS = 10_000  # each of them may open a link, and costs more than any other character
_LONGEST_HTML = 20_000  # characters of one block of raw HTML
_COLOURED = "coloured"  # the key of a rendering's `env` that counts characters of code
_CUSTOM_ANCHOR = re.compile(r"\{\s*+#[\w.:-]++[^{}]*+\}")  # gives nothing back: linear whatever it is tried on


def parse(markdown: str, passage: Span | None = None) -> list[Token]:
    """Its tokens, with marks around `passage`."""
    return _PARSER.parse(markdown, {PASSAGE: passage} if passage else {})


def parse_inline(markdown: str) -> list[Token]:
    """The tokens of one paragraph's text."""
    return _PARSER.parseInline(markdown)[0].children or []


def render(tokens: Sequence[Token], resolve: Resolve, label: str = "") -> Markup:
    """Safe HTML. `label` begins the names of its boxes."""
    for token in tokens:
        if token.type == "inline":
            token.children = settled(token.children or [], resolve)
    html = str(_PARSER.renderer.render(_boxed(tokens, label), _PARSER.options, {}))
    return Markup(sanitised(html, resolve))


def too_costly(markdown: str) -> bool:
    """Whether to show the `source` instead."""
    return len(markdown) > LONGEST or markdown.count("[") > _MOST_BRACKETS


def source(markdown: str, cite: Span | None = None) -> Markup:
    """Markdown as it was written."""
    start, end = cite or (0, 0)
    marked = Markup('<mark id="cited" class="cited">{}</mark>').format(markdown[start:end]) if cite else Markup()
    return Markup('<pre class="source">{}{}{}</pre>').format(markdown[:start], marked, markdown[end:])


def element(tag: str, attrs: Attributes, content: str = "") -> list[Token]:
    """The tokens of an element with text."""
    inside = [Token("text", "", 0, content=content)] if content else []
    return [Token(f"{tag}_open", tag, 1, attrs=attrs), *inside, Token(f"{tag}_close", tag, -1)]


# Boxes


def _boxed(tokens: Sequence[Token], label: str) -> list[Token]:
    """Tables and code scroll inside boxes that the keyboard reaches, each with a name of its own on the page."""
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
    language = _named(token)[:40]
    shown = element("span", {"class": "language"}, language) if language else []
    box = _box(f"{name}, {language}" if language else name)
    closing = [Token("box_close", "div", -1), Token("code_box_close", "div", -1, block=True)]
    return [Token("code_box_open", "div", 1, attrs={"class": "code"}), *shown, box, token, *closing]


# The parser


class _Html(RendererHTML):
    """Writes tokens; what a token's attributes say is ours, raw HTML never gets there."""

    @staticmethod
    def renderAttrs(token: Token) -> str:  # noqa: N802 - the name is the base class's
        if token.meta.get("first"):
            token.attrSet("id", "cited")
        if token.type == "mark_open":
            token.attrSet("class", "cited")
        if style := str(token.attrs.pop("style", "")):  # how the parser says that a column of a table is aligned
            token.attrSet("class", style.removeprefix("text-align:"))
        pairs = [(name, str(value) if name == "href" else own(value)) for name, value in token.attrs.items()]
        return "".join(f' {name}="{escapeHtml(value)}"' for name, value in pairs)

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        language = _language(token, env)
        html = code_blocks.html(token.content, language, token.meta.get(CITED, (0, 0)))
        first = self.renderAttrs(Token("mark_open", "mark", 1, meta=token.meta))
        html = html.replace("<mark>", f"<mark{first}>", 1).replace("<mark>", f'<mark class="{own("cited")}">')
        return f"<pre><code>{html}</code></pre>"

    code_block = fence

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return escapeHtml(self.renderInlineAsText(tokens[idx].children, options, env))

    def html_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        html = tokens[idx].content
        return balanced(html) if len(html) <= _LONGEST_HTML else f"<pre>{escapeHtml(html)}</pre>"


def _language(token: Token, env: EnvType) -> str:
    """What to colour a block as; "" once the page has had its share of colours."""
    env[_COLOURED] = env.get(_COLOURED, 0) + len(token.content)
    return _named(token) if env[_COLOURED] <= code_blocks.MOST else ""


def _named(token: Token) -> str:
    return (token.info.split() or [""])[0]


def _without_custom_anchors(state: StateCore) -> None:
    """`## Text {#anchor}`: the anchor is stored with the heading, and no part of what is read."""
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
