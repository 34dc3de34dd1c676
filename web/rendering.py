"""Markdown of articles and answers to HTML that is safe whatever was in it.

Two lines of defence: raw HTML is reduced to known tags, each of them closed where it was opened, before it meets the
rest; then nh3 lets only an allow-list through. Attributes that lay out the page (id, class, role…) pass only with a
prefix that is drawn when the process starts, so an article cannot set them.
"""

from __future__ import annotations

import re
import secrets
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from html.parser import HTMLParser
from itertools import accumulate, groupby
from typing import Literal, TypeAlias
from urllib.parse import urljoin

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup

from indexes.types import Article, Heading
from qa.links import Links, linked_article
from qa.types import Answer, Citation, Segment
from web import highlighting
from web.highlighting import CITED, PASSAGE, Span

Resolve: TypeAlias = Callable[[str], str | None]  # a link's target → where it leads on our pages, None for nowhere
Attributes: TypeAlias = dict[str, str | int | float]
_Event: TypeAlias = tuple[Literal["open", "close", "text"], str, str]  # kind, tag or text, target of a link

LONGEST = 150_000  # characters of an article; more is shown as its source, so that no page takes seconds
_MOST_BRACKETS = 10_000  # each of them may open a link, and costs more than any other character
_LONGEST_HTML = 20_000  # characters of one block of raw HTML
_DEEPEST = 50  # elements of raw HTML inside one another

_OURS = f"{secrets.token_hex(8)}:"
_INLINE = {"a", "abbr", "b", "cite", "code", "del", "em", "i", "ins", "kbd", "mark", "q", "s", "samp", "small",
           "strong", "sub", "sup", "u", "var"}  # fmt: skip
_BLOCK = {"blockquote", "caption", "dd", "details", "div", "dl", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "li", "ol",
          "p", "pre", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"}  # fmt: skip
_VOID = {"br", "hr"}
_OWN_ATTRIBUTES = {"id", "class", "role", "tabindex", "aria-label", "title", "start"}
_GAPS = {"paragraph_close": " ", "heading_close": " ", "softbreak": " ", "hardbreak": " ", "th_close": " · ",
         "td_close": " · "}  # fmt: skip
_CUSTOM_ANCHOR = re.compile(r"\{\s*#[\w.:-]+[^{}]*\}")


def article(
    article: Article, headings: Sequence[Heading], exists: Callable[[str], bool], links: Links, cite: Span | None = None
) -> Markup:
    """An article's body. `cite` is marked, its first mark has the id `cited`; `headings` are those stored with it."""
    if _too_costly(article.markdown):
        return _source(article.markdown, cite)
    resolve = _resolver(article, exists, links)
    tokens = _PARSER.parse(article.markdown, {PASSAGE: cite} if cite else {})
    return _render(list(_with_headings(tokens, article, headings)), resolve)


def answer(answer: Answer, label: str = "") -> Markup:
    """An answer's segments, each sentence and block followed by its footnote. `label` begins the names of its boxes."""
    citations = {citation.n: citation for citation in answer.citations}
    tokens: list[Token] = []
    for (kind, n), run in groupby(answer.segments, key=lambda segment: (segment.kind, segment.n)):
        shown = _paragraph if kind == "sentence" else _blocks
        tokens += shown(list(run), citations[n])
    return _render(tokens, _leads_somewhere, label)


def text(markdown: str, label: str = "") -> Markup:
    """Any other Markdown, such as an earlier answer of a conversation."""
    return _source(markdown) if _too_costly(markdown) else _render(_PARSER.parse(markdown), _leads_somewhere, label)


def plain(markdown: str, most: int) -> str:
    """The words of Markdown without its marks, cut after about `most` characters."""
    pieces = [token.content for token in _flat(_PARSER.parse(markdown[: most * 4]))]
    words = " ".join("".join(pieces).split())
    return words if len(words) <= most else f"{words[:most].rsplit(' ', 1)[0]} …"


def _flat(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        if token.type == "inline":
            yield from _flat(token.children or [])
        elif token.type not in ("html_block", "html_inline"):
            yield token if token.content else Token("text", "", 0, content=_GAPS.get(token.type, ""))


def _too_costly(markdown: str) -> bool:
    return len(markdown) > LONGEST or markdown.count("[") > _MOST_BRACKETS


def _source(markdown: str, cite: Span | None = None) -> Markup:
    start, end = cite or (0, 0)
    marked = Markup('<mark id="cited" class="cited">{}</mark>').format(markdown[start:end]) if cite else Markup()
    return Markup('<pre class="source">{}{}{}</pre>').format(markdown[:start], marked, markdown[end:])


def _render(tokens: Sequence[Token], resolve: Resolve, label: str = "") -> Markup:
    for token in tokens:
        if token.type == "inline":
            token.children = _settled(token.children or [], resolve)
    html = str(_PARSER.renderer.render(_boxed(tokens, label), _PARSER.options, {}))
    return Markup(_sanitised(html, resolve))


def _sanitised(html: str, resolve: Resolve) -> str:
    def keep(tag: str, attribute: str, value: str) -> str | None:
        if attribute == "href":
            return resolve(value)
        if attribute == "rel":  # nh3's own: it is not among the attributes an article may have
            return value
        return value.removeprefix(_OURS) if value.startswith(_OURS) else None

    return nh3.clean(
        html,
        tags=_INLINE | _BLOCK | _VOID | {"span"},
        attributes={"*": _OWN_ATTRIBUTES, "a": {"href"}},
        attribute_filter=keep,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
    )


# Links


def _leads_somewhere(target: str) -> str | None:
    """Full addresses, places on the page and pages of this site; a path relative to who knows what leads nowhere."""
    return target if re.match(r"https?://|mailto:|#|/(?!/)", target, re.IGNORECASE) else None


def _resolver(article: Article, exists: Callable[[str], bool], links: Links) -> Resolve:
    def resolve(target: str) -> str | None:
        if known := _leads_somewhere(target):
            return known
        linked = linked_article(article.id, target)
        if linked and exists(linked[0]):
            return links.article(linked[0]) + (f"#{linked[1]}" if linked[1] else "")
        return _at_source(article.source_url, target) if article.source_url and target else None

    return resolve


def _at_source(source_url: str, target: str) -> str | None:
    try:
        return _leads_somewhere(urljoin(source_url, target))
    except ValueError:  # an address such as //[ that nothing can make sense of
        return None


def _settled(children: Sequence[Token], resolve: Resolve) -> list[Token]:
    """Links that lead somewhere, and raw tags only where they are closed inside what they were opened in."""
    settled: list[Token] = []
    opened: list[Token] = []
    for child in children:
        token = _raw_tag(child) if child.type == "html_inline" else child
        if token.nesting == 1:
            token.hidden = token.tag == "a" and resolve(str(token.attrGet("href") or "")) is None
            opened.append(token)
        elif token.nesting == -1 and not _closes(token, opened):
            continue
        settled.append(token)
    for token in opened:
        token.hidden = True
    return settled


def _closes(token: Token, opened: list[Token]) -> bool:
    if token.type == "raw_close" and not (opened and opened[-1].type == "raw_open" and opened[-1].tag == token.tag):
        return False
    while token.type != "raw_close" and opened[-1].type == "raw_open":
        opened.pop().hidden = True
    token.hidden = opened.pop().hidden
    return True


# Raw HTML


class _Reader(HTMLParser):
    """Tags and texts of raw HTML, without what stands in scripts and styles."""

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
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.events


def _raw_tag(child: Token) -> Token:
    events = _events(child.content)
    kind, tag, href = events[0] if events else ("text", "", "")
    if kind == "open" and tag == "br":
        return Token("hardbreak", "br", 0)
    if kind == "text" or tag not in _INLINE:
        return Token("text", "", 0)  # the tag goes, what it encloses is text of the paragraph
    if kind == "close":
        return Token("raw_close", tag, -1)
    return Token("raw_open", tag, 1, attrs={"href": href} if tag == "a" else {})


def _balanced(html: str) -> str:
    """A block of raw HTML with known tags alone, every one closed and no inline element around a block.

    A browser's parser reopens inline elements in every block after the one they were left open in: unbalanced, a
    page of tags becomes millions of elements.
    """
    out: list[str] = []
    opened: list[str] = []

    def close(until: Callable[[str], bool]) -> None:
        while opened and not until(opened[-1]):
            out.append(f"</{opened.pop()}>")

    for kind, name, href in _events(html):
        if kind == "text":
            out.append(escapeHtml(name))
        elif kind == "open" and name in _INLINE | _BLOCK | _VOID:
            if name not in _INLINE:
                close(lambda tag: tag in _BLOCK - {"p"})
            if name in _VOID or len(opened) < _DEEPEST:
                out.append(f'<{name} href="{escapeHtml(href)}">' if href else f"<{name}>")
                opened += [name] if name not in _VOID else []
        elif kind == "close" and name in opened:
            close(name.__eq__)
            out.append(f"</{opened.pop()}>")
    close(lambda tag: False)
    return "".join(out)


# Blocks


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
        pairs = [(name, str(value) if name == "href" else f"{_OURS}{value}") for name, value in token.attrs.items()]
        return "".join(f' {name}="{escapeHtml(value)}"' for name, value in pairs)

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        start, end = token.meta.get(CITED, (0, 0))
        before, cited, after = (escapeHtml(part) for part in _split(token.content, start, end))
        mark = Token("mark_open", "mark", 1, meta=token.meta)
        marked = f"<mark{self.renderAttrs(mark)}>{cited}</mark>" if cited else ""
        return f"<pre><code>{before}{marked}{after}</code></pre>"

    code_block = fence

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return escapeHtml(self.renderInlineAsText(tokens[idx].children, options, env))

    def html_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        html = tokens[idx].content
        return _balanced(html) if len(html) <= _LONGEST_HTML else f"<pre>{escapeHtml(html)}</pre>"


def _split(content: str, start: int, end: int) -> tuple[str, str, str]:
    return content[:start], content[start:end], content[end:]


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


def _with_headings(tokens: Sequence[Token], article: Article, headings: Sequence[Heading]) -> Iterator[Token]:
    """Headings get their anchors. The page's own h1 is the title, so a heading that repeats it is not shown again."""
    starts = list(accumulate((len(line) + 1 for line in article.markdown.split("\n")), initial=0))
    stored = {bisect_right(starts, heading.start) - 1: heading for heading in headings}
    shift = any(h.level == 1 and not is_title(h, article) for h in headings)
    skip = 0
    for place, token in enumerate(tokens):
        heading = stored.get(token.map[0]) if token.type == "heading_open" and not token.level and token.map else None
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, max(2, int(token.tag[1]) + shift))}"
        if heading and is_title(heading, article):
            skip = 3
            yield from _element("span", {"id": heading.anchor})
        elif heading:
            skip = 3
            yield from _heading(tokens[place : place + 3], heading)
        elif skip <= 0:
            yield token
        skip -= 1


def is_title(heading: Heading, article: Article) -> bool:
    """Whether a heading only repeats the article's title."""
    return heading.level == 1 and heading.text.casefold().strip() == article.title.casefold().strip()


def _heading(parts: Sequence[Token], heading: Heading) -> Iterator[Token]:
    parts[0].attrSet("id", heading.anchor)
    label: Attributes = {"class": "anchor", "href": f"#{heading.anchor}", "aria-label": f"Link to “{heading.text}”"}
    link = Token("inline", "", 0, children=_element("a", label, "#"))
    yield from (Token("heading_box_open", "div", 1, attrs={"class": "heading"}), *parts, link)
    yield Token("heading_box_close", "div", -1, block=True)


def _element(tag: str, attrs: Attributes, content: str = "") -> list[Token]:
    inside = [Token("text", "", 0, content=content)] if content else []
    return [Token(f"{tag}_open", tag, 1, attrs=attrs), *inside, Token(f"{tag}_close", tag, -1)]


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
    language = token.info.split()[0][:40] if token.info.split() else ""
    shown = _element("span", {"class": "language"}, language) if language else []
    box = _box(f"{name}, {language}" if language else name)
    closing = [Token("box_close", "div", -1), Token("code_box_close", "div", -1, block=True)]
    return [Token("code_box_open", "div", 1, attrs={"class": "code"}), *shown, box, token, *closing]


# Answers


def _paragraph(run: Sequence[Segment], citation: Citation) -> list[Token]:
    children: list[Token] = []
    for segment in run:
        inline = _PARSER.parseInline(segment.text)[0]
        children += [Token("text", "", 0, content=" ")] if children else []
        children += [*(inline.children or []), *_footnote(citation)]
    return _wrapped(children, {})


def _blocks(run: Sequence[Segment], citation: Citation) -> list[Token]:
    # Items of one list are quoted one by one: together they are a list again.
    between = "\n" if run[0].kind == "list" else "\n\n"
    blocks = _PARSER.parse(between.join(segment.text for segment in run))
    return [*blocks, *_wrapped(_footnote(citation), {"class": "after"})]


def _wrapped(children: list[Token], attrs: Attributes) -> list[Token]:
    inline = Token("inline", "", 0, children=children)
    return [Token("paragraph_open", "p", 1, attrs=attrs), inline, Token("paragraph_close", "p", -1, block=True)]


def _footnote(citation: Citation) -> list[Token]:
    place = " › ".join((citation.title, *citation.heading))
    attrs: Attributes = {
        "class": "cite", "href": citation.url, "title": place, "aria-label": f"Source {citation.n}: {place}",
    }  # fmt: skip
    return _element("a", attrs, f"[{citation.n}]")
