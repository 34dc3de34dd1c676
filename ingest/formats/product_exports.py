"""Recognises the exports of other products: their file names, fields and pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

from bs4 import BeautifulSoup, Tag

from ingest.errors import ArticleRejected

# A page of a Confluence space export is `Title_123456.html`; of a Notion export, `Title 32-hex-digits.md`.
_CONFLUENCE_NUMBER = re.compile(r"_\d{5,}$")
_CONFLUENCE_MARK = b'id="title-text"'
_NOTION_NUMBER = re.compile(r" [0-9a-f]{32}$")
# The same numbers in links between pages, removed as they are from the names.
_CONFLUENCE_LINK = re.compile(r"_\d{5,}(?=\.html(?:#|$))")
_NOTION_LINK = re.compile(r"%20[0-9a-f]{32}(?=[/.])")
_MARKDOWN_LINK = re.compile(r"\]\([^()\s]++\)")
_NOTION_FIELD = re.compile(r"^([A-Z][\w ]{0,40}): (.+)$")
_MODIFIED = re.compile(r"\bon ([A-Z][a-z]{2} \d{1,2}, \d{4})")
_MARKUP = re.compile(r"<(?:p|div|h[1-6]|ul|ol|table|br|pre|span|a|strong|img)\b[^<>]*>", re.IGNORECASE)
_LISTS = ("articles", "results", "data", "items", "pages", "records")

# Our field → names in exports of Zendesk, Intercom and others. `html_url` is for people, `url` for programs.
_ALIASES = {
    "title": ("title", "name", "subject"),
    "tags": ("tags", "label_names", "labels", "keywords"),
    "updated": ("updated", "updated_at", "edited_at", "modified", "last_modified", "created_at"),
    "url": ("html_url", "web_url", "url", "source_url", "link"),
    "summary": ("summary", "description", "excerpt"),
}


def clean_name(name: str) -> str:
    """The name of a Notion page or folder without the number that the export appends."""
    return _NOTION_NUMBER.sub("", name).strip() or name


def clean_confluence_name(name: str, raw: bytes) -> str:
    """The name without its number if `raw` is a page of a Confluence export; elsewhere it may be a date."""
    return _CONFLUENCE_NUMBER.sub("", name) or name if _CONFLUENCE_MARK in raw[:65_536] else name


def is_draft(fields: Mapping[str, Any]) -> bool:
    """Whether a record is unpublished, or no longer published."""
    return fields.get("draft") is True or "draft" in (fields.get("state"), fields.get("status"))


def record_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an exported record under Footnote's names."""
    renamed = dict(fields)
    for name, aliases in _ALIASES.items():
        value = next((fields[alias] for alias in aliases if fields.get(alias)), None)
        renamed[name] = _as_date(value) if name == "updated" else value
    renamed["featured"] = fields.get("featured") is True or fields.get("promoted") is True
    return renamed


def record_text(fields: Mapping[str, Any]) -> tuple[str, bool]:
    """A record's text, and whether it is HTML: decided by the field's name, for `body` and `content` by their text."""
    for name in ("text", "markdown", "html", "body_html", "body", "content"):
        value = fields.get(name)
        if isinstance(value, str):
            return value, name.endswith("html") or (name in ("body", "content") and bool(_MARKUP.search(value)))
    raise ArticleRejected('the record has no "text" (nor "body", "html" or "markdown"): add it')


def records(raw: bytes) -> Iterator[bytes]:
    """Each record of a JSON export (a list, or a list in an object) as a line of JSONL. Raises ArticleRejected."""
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ArticleRejected(f"not JSON ({str(error)[:200]}): correct it") from error
    if isinstance(document, dict):
        document = next((document[name] for name in _LISTS if isinstance(document.get(name), list)), None)
    if not isinstance(document, list):
        raise ArticleRejected('no list of articles in it: it needs one, or an object with "articles"')
    for record in document:
        yield json.dumps(record, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _as_date(value: object) -> object:
    """A time in epoch seconds as a date; any other value unchanged."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 32_503_680_000:
        return datetime.fromtimestamp(value, UTC).date()
    return value


def page_fields(page: BeautifulSoup) -> dict[str, Any]:
    """The metadata in pages of a Confluence or Notion export. Raises ArticleRejected for a mere index."""
    if page.select_one("#title-text, .wiki-content"):
        return _confluence(page)
    if page.select_one("article.page > header .page-title"):
        return _notion(page)
    return {}


def _confluence(page: BeautifulSoup) -> dict[str, Any]:
    _relink(page, _CONFLUENCE_LINK)
    section = page.select_one(".pageSectionTitle")
    if section and "Available Pages" in section.get_text():
        raise ArticleRejected("the list of the space's pages, not one of them")
    title = page.select_one("#title-text")
    whole = " ".join((title or page.title or page).get_text().split())
    modified = _MODIFIED.findall(_text(page, ".page-metadata"))
    tags = [label.get_text(strip=True) for label in page.select(".label-list .aui-label, .labels-content .label")]
    return {"title": whole.partition(" : ")[2] or whole, "tags": tags, "updated": _english_date(modified[-1:])}


def _notion(page: BeautifulSoup) -> dict[str, Any]:
    _relink(page, _NOTION_LINK)
    fields: dict[str, Any] = {"title": _text(page, ".page-title"), "summary": _text(page, ".page-description")}
    for row in page.select("table.properties tr"):
        name, cell = _text(row, "th").casefold(), row.select_one("td")
        if cell and name in ("tags", "labels"):
            values = cell.select(".selected-value")
            fields["tags"] = [value.get_text(strip=True) for value in values] or cell.get_text(strip=True)
        elif cell and name in ("updated", "last edited", "last edited time"):
            fields["updated"] = _english_date([cell.get_text().strip("@ \n")])
    return fields


def _relink(page: BeautifulSoup, number: re.Pattern[str]) -> None:
    for link in page.find_all("a", href=True):
        target = str(link["href"])
        link["href"] = target if "://" in target else number.sub("", target)


def notion_links(markdown: str) -> str:
    """A Markdown page with its links changed to the ids that the neighbouring pages get."""
    return _MARKDOWN_LINK.sub(lambda link: link[0] if "://" in link[0] else _NOTION_LINK.sub("", link[0]), markdown)


def notion_fields(markdown: str) -> dict[str, Any]:
    """The properties that a Notion export writes below the heading of a Markdown page."""
    lines = markdown.split("\n", 60)[:60]
    start = 2 if lines[0].startswith("# ") and lines[1:2] == [""] else len(lines)
    fields: dict[str, Any] = {}
    for line in lines[start:]:
        match = _NOTION_FIELD.match(line)
        if match is None:
            break
        name, value = match.group(1).casefold(), match.group(2)
        if name in ("tags", "labels"):
            fields["tags"] = value
        elif name in ("updated", "last edited", "last edited time"):
            fields["updated"] = _english_date([value])
    return fields


def is_notion(name: str) -> bool:
    """Whether a file was named by a Notion export."""
    return bool(_NOTION_NUMBER.search(name))


def _english_date(days: list[str]) -> date | None:
    """The first date such as `Mar 30, 2026` or `March 30, 2026 10:00 AM`; None if there is none."""
    for day in days:
        words = " ".join(day.split()[:3])
        for form in ("%b %d, %Y", "%B %d, %Y"):
            try:
                return datetime.strptime(words, form).replace(tzinfo=UTC).date()
            except ValueError:
                continue
    return None


def _text(inside: Tag, selector: str) -> str:
    element = inside.select_one(selector)
    return " ".join(element.get_text().split()) if element else ""
