"""Reads one page of a website: its article, address and links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

from bs4 import BeautifulSoup, Tag
from bs4.dammit import UnicodeDammit

from indexes.types import Category
from ingest.errors import ArticleRejected
from ingest.formats.main_content import main_content, meta, parse_page
from ingest.formats.parsing import clean, html_article, parse_markdown
from ingest.sources.website.fetching import Fetched, same_host
from ingest.sources.website.page_store import WebPage

HTML = ("text/html", "application/xhtml+xml")
MARKDOWN = ("text/markdown", "text/x-markdown")
_PORTS = {"http": ":80", "https": ":443"}
_INDEX = re.compile(r"(?:^|/)(?:index|default)\.(?:html?|md)$|\.(?:html?|xhtml|md|markdown)$|/$")
_FILE = re.compile(r"(?<![^/])[^/]*\.[A-Za-z0-9]+$")


def normal(url: str) -> str:
    """The address without fragment, user, default port and capitals in the host, so that equal pages compare equal."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2].lower().removesuffix(_PORTS.get(parts.scheme, "\0"))
    return urlunsplit((parts.scheme.lower(), host, parts.path or "/", parts.query, ""))


def page_id(url: str) -> str:
    """An article id from the path of an address: `/guide/setup.html` → `guide/setup`; the host for the top page."""
    parts = urlsplit(url)
    path = _INDEX.sub("", unquote(parts.path, errors="replace").lstrip("/"))
    id = path.strip("/") or parts.netloc
    return clean(f"{id}?{parts.query}" if parts.query else id)


def scope(url: str) -> str:
    """The path that a crawl from `url` stays under: the address itself, or the folder of a file."""
    return _FILE.sub("", urlsplit(url).path).rstrip("/")


def within(url: str, start: str) -> bool:
    """Whether an address is on the host of `start` and under its path."""
    path, under = urlsplit(url).path, scope(start)
    return same_host(start, url) and (path == under or path.startswith(f"{under}/"))


def read_page(fetched: Fetched, start: str, day: str, category: Category) -> WebPage:
    """The page of a response; `day`: the last change by the site's sitemap. Raises ArticleRejected."""
    if fetched.kind in MARKDOWN:
        article = parse_markdown(page_id(fetched.url), fetched.body, category)
        return WebPage(fetched.url, replace(article, source_url=article.source_url or fetched.url))
    page = parse_page(clean(_text(fetched)))
    base = _base_address(page, fetched.url)
    url = _canonical_address(page, base, fetched.url, start)
    orders = meta(page, "robots", "footnote").lower()
    links = () if "nofollow" in orders or "none" in orders else tuple(dict.fromkeys(_links(page, base)))
    main = main_content(page)
    fields = {"url": url, "lastmod": day}
    hidden = "noindex" in orders or "none" in orders
    try:
        return WebPage(url, html_article(page_id(url), page, main, category, fields, base), links=links, hidden=hidden)
    except ArticleRejected as error:  # its links still count
        return WebPage(url, problem=str(error), links=links, hidden=hidden)


def _text(fetched: Fetched) -> str:
    """The text in the encoding of the header; else as UTF-8 if it is valid; else in the encoding it declares."""
    named = [fetched.charset] if fetched.charset else []
    return UnicodeDammit(fetched.body, named, user_encodings=["utf-8"], is_html=True).unicode_markup or ""


def _base_address(page: BeautifulSoup, url: str) -> str:
    base = page.find("base", href=True)
    return _absolute_address(url, str(base["href"])) or url if isinstance(base, Tag) else url


def _canonical_address(page: BeautifulSoup, base: str, url: str, start: str) -> str:
    """The page's canonical address if that belongs to the site, else `url`."""
    link = page.find("link", rel="canonical", href=True)
    named = _absolute_address(base, str(link["href"])) if isinstance(link, Tag) else ""
    return named if named and within(named, start) else url


def _links(page: BeautifulSoup, base: str) -> Iterator[str]:
    for link in page.find_all("a", href=True):
        address = _absolute_address(base, str(link["href"]))
        if address and "nofollow" not in link.get_attribute_list("rel"):
            yield address


def _absolute_address(base: str, address: str) -> str:
    """The absolute http(s) address; "" if it is none."""
    try:
        joined = urljoin(base, address.strip())
        return normal(joined) if urlsplit(joined).scheme in _PORTS and urlsplit(joined).hostname else ""
    except ValueError:  # `http://[`
        return ""
