"""Renders an article's Markdown as the body of its page."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from urllib.parse import urljoin

from markdown_it.token import Token
from markupsafe import Markup

from indexes.types import Article, Heading
from qa.links import Links, linked_article
from web.rendering import markdown
from web.rendering.highlighting import Marking
from web.rendering.markdown import Attributes, element
from web.rendering.sanitising import Resolve, absolute_target
from web.rendering.source_map import Span


def article(
    article: Article, headings: Sequence[Heading], exists: Callable[[str], bool], links: Links, cite: Span | None = None
) -> Markup:
    """An article's body, with the span `cite` marked; the first mark has the id `cited`. `headings`: as stored."""
    if markdown.too_costly(article.markdown):
        return markdown.source(article.markdown, cite)
    marking = Marking("cited", (cite,)) if cite else None
    tokens = _with_headings(markdown.parse(article.markdown, marking), article, headings)
    return markdown.render(list(tokens), _resolver(article, exists, links))


# Links


def _resolver(article: Article, exists: Callable[[str], bool], links: Links) -> Resolve:
    def resolve(target: str) -> str | None:
        if address := absolute_target(target):
            return address
        linked = linked_article(article.id, target)
        if linked and exists(linked[0]):
            return links.article(linked[0]) + (f"#{linked[1]}" if linked[1] else "")
        return _at_source(article.source_url, target) if article.source_url and target else None

    return resolve


def _at_source(source_url: str, target: str) -> str | None:
    try:
        return absolute_target(urljoin(source_url, target))
    except ValueError:  # an address such as //[ that cannot be parsed
        return None


# Headings


def is_title(heading: Heading, article: Article) -> bool:
    """Whether a heading only repeats the article's title."""
    return heading.level == 1 and heading.text.casefold().strip() == article.title.casefold().strip()


def _with_headings(tokens: Sequence[Token], article: Article, headings: Sequence[Heading]) -> Iterator[Token]:
    """The tokens with anchored headings. The page's own h1 is the title, so a heading that repeats it is dropped."""
    starts = list(accumulate((len(line) + 1 for line in article.markdown.split("\n")), initial=0))
    stored = {bisect_right(starts, heading.start) - 1: heading for heading in headings}
    # Level-1 headings other than the title go below the page's h1.
    shift = any(h.level == 1 and not is_title(h, article) for h in headings)
    skip = 0  # tokens of the heading that still follow: open, text, close
    for index, token in enumerate(tokens):
        heading = stored.get(token.map[0]) if token.type == "heading_open" and not token.level and token.map else None
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, max(2, int(token.tag[1]) + shift))}"
        if heading and is_title(heading, article):
            skip = 3
            yield from element("span", {"id": heading.anchor})
        elif heading:
            skip = 3
            yield from _heading(tokens[index : index + 3], heading)
        elif skip <= 0:
            yield token
        skip -= 1


def _heading(parts: Sequence[Token], heading: Heading) -> Iterator[Token]:
    parts[0].attrSet("id", heading.anchor)
    label: Attributes = {"class": "anchor", "href": f"#{heading.anchor}", "aria-label": f"Link to “{heading.text}”"}
    link = Token("inline", "", 0, children=element("a", label, "#"))
    yield from (Token("heading_box_open", "div", 1, attrs={"class": "heading"}), *parts, link)
    yield Token("heading_box_close", "div", -1, block=True)
