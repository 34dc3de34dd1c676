"""Extracts the main content of an HTML page as Markdown, without the site around it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urljoin

from bs4 import BeautifulSoup, Tag
from bs4.exceptions import ParserRejectedMarkup
from markdownify import MarkdownConverter

from ingest.errors import ArticleRejected

_NOT_CONTENT = (
    "script",
    "style",
    "nav",
    "header",
    "footer",
    "form",
    "noscript",
    "template",
    "iframe",
    "svg",
    "button",
    "dialog",
    "aside:not(.starlight-aside, .admonition, .callout, [role=note])",
    '[role="navigation"]',
    '[role="search"]',
    '[role="complementary"]',
    '[role="contentinfo"]',
    '[aria-hidden="true"]',
    "[hidden]",
    # added to the content itself by generators of documentation sites
    ".headerlink",
    ".hash-link",
    ".anchor-link",
    ".breadcrumbs",
    ".breadcrumb",
    ".toc",
    ".table-of-contents",
    ".pagination-nav",
    ".theme-doc-footer",
    ".theme-doc-toc-mobile",
    ".theme-doc-version-badge",
    ".edit-this-page",
    ".md-source-file",
    ".md-content__button",
    ".related",
    ".sphinxsidebar",
    ".linenos",
    ".prev-next-area",
    ".article-votes",
    ".article-relatives",
    ".article-comments",
    ".article-more-questions",
    ".share",
    ".pageSection",
    ".page-metadata",
    ".feedback",
)
# The first that occurs once and has text is the main content; narrow ones first. docs/decisions/main-content.md
_CONTENT = (
    '[itemprop="articleBody"]',
    ".theme-doc-markdown",
    ".markdown-body",
    ".wiki-content",
    "#main-content",
    ".article-body",
    ".entry-content",
    ".page-body",
    "article",
    "main",
    '[role="main"]',
    "#content",
    ".content",
    "#bodyContent",
)
_LANGUAGE = re.compile(r"(?:language|lang|highlight|brush)[-:]\s*([\w+#-]+)")
_NO_LANGUAGE = frozenset({"default", "none", "text", "plaintext", "source", "notranslate"})
_BLANK_LINES = re.compile(r"\n{3,}")
_SHORTEST_PROSE = 250  # characters; readability finds nothing reliable in less
_LEAST_SHARE = 0.6  # of the prose that readability must keep: docs/decisions/main-content.md
_SHORTEST = 40  # characters below which an element is an empty shell


@dataclass(frozen=True, slots=True)
class Content:
    """The Markdown of a page's main content, and the text of its first top heading."""

    markdown: str
    heading: str


def parse_page(text: str) -> BeautifulSoup:
    """Raises ArticleRejected if the HTML cannot be read."""
    try:
        return BeautifulSoup(text, "lxml")
    except ParserRejectedMarkup as error:
        raise ArticleRejected("the HTML cannot be read: correct it") from error


def main_content(page: BeautifulSoup) -> Tag:
    """The element with the main content; the whole body if none stands out."""
    for selector in _CONTENT:
        elements = page.select(selector)
        if len(elements) == 1 and len(elements[0].get_text(strip=True)) >= _SHORTEST:
            return elements[0]
    return page.find("main") or page.find("article") or _readability_content(page) or page.body or page


def extract(main: Tag, base: str = "") -> Content:
    """The content of an element, which is modified; with `base`, its links become absolute addresses."""
    for element in main.select(", ".join(_NOT_CONTENT)):
        if element is not main and not element.decomposed and not _holds_the_title(element):
            element.decompose()
    for line_break in main.select("pre br"):
        line_break.replace_with("\n")
    for link in main.find_all("a"):
        if not link.get_text(strip=True) and not link.find("img"):  # left over from an icon
            link.decompose()
    if base:
        _absolute_links(main, base)
    try:
        markdown = MarkdownConverter(heading_style="ATX", bullets="-", code_language_callback=_language).convert_soup(
            main
        )
    except RecursionError as error:
        raise ArticleRejected("the HTML is nested too deeply: simplify it") from error
    heading = main.find("h1")
    return Content(_BLANK_LINES.sub("\n\n", markdown), " ".join(heading.get_text().split()) if heading else "")


def title(page: BeautifulSoup, heading: str) -> str:
    """The page's title without the site's name, which its heading leaves out."""
    whole = " ".join(page.title.get_text().split()) if page.title else ""
    headings = [heading, *(" ".join(h1.get_text().split()) for h1 in page.find_all("h1"))]
    contained = (name for name in headings if name and name.casefold() in whole.casefold())
    return next(contained, whole or heading)


def meta(page: BeautifulSoup, *names: str) -> str:
    """The content of the first of the named `<meta>` elements; "" if there is none."""
    for name in names:
        tag = page.find("meta", attrs={"name": name}) or page.find("meta", attrs={"property": name})
        content = tag.get("content") if isinstance(tag, Tag) else None
        if isinstance(content, str) and content.strip():
            return content
    return ""


def _readability_content(page: BeautifulSoup) -> Tag | None:
    """What readability finds in a page without landmarks, unless that omits much of the text."""
    from readability import Document  # imported late: few pages need it, and a server never does
    from readability.readability import Unparseable

    body = page.body
    if body is None or _prose_length(body) < _SHORTEST_PROSE:
        return None
    try:
        readable = parse_page(Document(str(body)).summary()).body
    except Unparseable:
        return None
    return readable if readable and _prose_length(readable) >= _prose_length(body) * _LEAST_SHARE else None


def _prose_length(element: Tag) -> int:
    """The number of characters outside links."""
    links = sum(len(link.get_text(strip=True)) for link in element.find_all("a"))
    return len(element.get_text(strip=True)) - links


def _holds_the_title(element: Tag) -> bool:
    """Whether an element is a `<header>` with an h1: inside the main content, that is the article's own head."""
    return element.name == "header" and element.find("h1") is not None


def _absolute_links(main: Tag, base: str) -> None:
    for name, attribute in (("a", "href"), ("img", "src")):
        for element in main.find_all(name):
            address = element.get(attribute)
            if isinstance(address, str) and not address.startswith("#"):
                element[attribute] = _absolute_address(base, address)


def _absolute_address(base: str, address: str) -> str:
    try:
        return urljoin(base, address.strip())
    except ValueError:  # `http://[`
        return address


def _language(block: Tag) -> str:
    """The language of a code block, which sites put on it, on the code inside or on a box around it."""
    inner = block.find("code")
    for element in (block, inner, block.parent, block.parent.parent if block.parent else None):
        if isinstance(element, Tag):
            names = [*element.get_attribute_list("class"), element.get("data-syntaxhighlighter-params")]
            match = _LANGUAGE.search(" ".join(str(name) for name in names if name))
            if match and match.group(1).lower() not in _NO_LANGUAGE:
                return match.group(1).lower()
    return ""
