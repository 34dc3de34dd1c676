"""Parses one file or record into an `Article`, or rejects it."""

from __future__ import annotations

import json
import re
from types import MappingProxyType

from bs4 import BeautifulSoup, Tag

from indexes.types import Article, Category
from ingest.errors import ArticleRejected, without_text
from ingest.formats import front_matter
from ingest.formats.front_matter import Fields
from ingest.formats.main_content import extract, main_content, meta, parse_page, title
from ingest.formats.product_exports import notion_fields, notion_links, page_fields, record_fields, record_text
from ingest.structure import heading_text

LARGEST = 8 * 1024 * 1024  # bytes; an article is a page, not a database dump
_FIRST_HEADING = re.compile(r"\A\s*#[ \t]+(\S.*)$", re.MULTILINE)
NO_FIELDS: Fields = MappingProxyType({})
# NUL, non-characters and lone surrogates, which cannot be stored or have no meaning in a text.
_FORBIDDEN = re.compile("[\x00\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff]")


def parse_markdown(id: str, raw: bytes, category: Category) -> Article:
    """A Markdown file with optional front matter. Raises ArticleRejected with the reason."""
    fields, body = front_matter.split(_decode(raw))
    heading = _FIRST_HEADING.search(body)
    fallback = heading_text(_without_closing_marks(heading.group(1))) if heading else _title_from(id)
    return _article(id, fields, body, fallback, category)


def parse_html(id: str, raw: bytes, category: Category) -> Article:
    """An HTML page: its main content as Markdown. Raises ArticleRejected with the reason."""
    page = parse_page(_decode(raw))
    return html_article(id, page, main_content(page), category)


def html_article(
    id: str, page: BeautifulSoup, main: Tag, category: Category, fields: Fields = NO_FIELDS, base: str = ""
) -> Article:
    """The article in the element `main` of an HTML page, which is modified. `fields` override the page's metadata; with
    `base`, links become absolute addresses. Raises ArticleRejected with the reason."""
    merged: dict[str, object] = {
        "summary": meta(page, "description", "og:description"),
        "tags": meta(page, "keywords"),
        "updated": meta(page, "article:modified_time", "last-modified", "date", "article:published_time"),
    }
    exported = page_fields(page)
    content = extract(main, base)
    merged["title"] = title(page, content.heading)
    for source in (exported, fields):
        merged.update((name, value) for name, value in source.items() if value or name == "audience")
    return _article(id, merged, content.markdown, _title_from(id), category)


def parse_notion(id: str, raw: bytes, category: Category) -> Article:
    """A Markdown page of a Notion export, with its properties. Raises ArticleRejected with the reason."""
    text = notion_links(_decode(raw))
    heading = _FIRST_HEADING.search(text)
    fallback = heading_text(_without_closing_marks(heading.group(1))) if heading else _title_from(id)
    return _article(id, notion_fields(text), text, fallback, category)


def parse_record(raw: bytes, category: Category) -> Article:
    """A record of an export: `id`, text as Markdown or HTML, and optionally `title`, `url` and the fields of a front
    matter, under these names or those of help centers. Raises ArticleRejected with the reason."""
    fields = record_fields(read_record(raw))
    text, is_html = record_text(fields)
    if is_html:
        page = parse_page(clean(text))
        return html_article(record_id(fields), page, page, category, fields)
    first_line = next((line for line in text.splitlines() if line.strip()), "")
    return _article(record_id(fields), fields, clean(text), first_line[:120], category)


def fields_article(id: str, fields: Fields, markdown: str, category: Category) -> Article:
    """The article made of a text and its fields. Raises ArticleRejected if there is no text."""
    return _article(id, fields, markdown, _title_from(id), category)


def read_record(raw: bytes) -> Fields:
    try:
        fields = json.loads(_decode(raw))
    except (ValueError, RecursionError) as error:
        raise ArticleRejected(f"not a JSON object ({error}): correct the line") from error
    if not isinstance(fields, dict):
        raise ArticleRejected("not a JSON object: correct the line")
    return fields


def record_id(fields: Fields) -> str:
    id = clean(front_matter.text(fields, "id"))
    if not id:
        raise ArticleRejected('the record has no "id": add one')
    return id


def _article(id: str, fields: Fields, body: str, fallback: str, category: Category) -> Article:
    markdown, audience = body.strip("\n"), tuple(clean(group) for group in front_matter.audience(fields))
    if not markdown.strip():
        raise without_text("no text: the file is empty or holds metadata alone", audience)
    return Article(
        id=id,
        title=clean(front_matter.text(fields, "title")) or clean(fallback) or id,
        summary=clean(front_matter.text(fields, "summary", "description")),
        tags=tuple(clean(tag) for tag in front_matter.tags(fields, "tags", "keywords")),
        featured=fields.get("featured") is True,
        views=front_matter.count(fields, "views"),
        updated=front_matter.day(fields, "updated", "lastmod", "last_updated", "date"),
        type=clean(front_matter.text(fields, "type")) or "Article",
        category=clean(front_matter.text(fields, "category")) or category.name,
        source_url=_web_address(clean(front_matter.text(fields, "url", "source_url"))),
        markdown=markdown,
        audience=audience,
    )


def _decode(raw: bytes) -> str:
    if len(raw) > LARGEST:
        raise ArticleRejected(f"larger than {LARGEST // (1024 * 1024)} MB: split it")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ArticleRejected(
            f"not UTF-8 (byte 0x{raw[error.start]:02x} at {error.start}): save it as UTF-8"
        ) from error
    return clean(text)


def clean(text: str) -> str:
    """Text that can be stored and shown: Unix line ends, no NUL, no lone surrogate, no non-character."""
    return _FORBIDDEN.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def _without_closing_marks(line: str) -> str:
    """A heading without the closing marks of `# Title #`, which follow a space: `# C#` has none."""
    text = line.rstrip()
    bare = text.rstrip("#")
    return bare.rstrip() if bare.endswith((" ", "\t")) else text


def _title_from(id: str) -> str:
    words = re.sub(r"[-_]+", " ", id.rsplit("/", 1)[-1]).strip()
    return words[:1].upper() + words[1:]


def _web_address(url: str) -> str | None:
    """Only web addresses become links: a `javascript:` address in an export must never reach a page."""
    return url if url.startswith(("https://", "http://")) else None
