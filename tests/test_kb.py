"""The bundled KB is what its listing says, and each article is fit to answer from."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import pytest

from indexes.types import Article
from ingest.sources.folders import read_source
from ingest.sources.items import Ignored, SourceItem
from ingest.structure import outline
from tests.conftest import KB, ROOT

LISTING: dict[str, dict[str, Any]] = {
    row["id"]: row
    for row in json.loads((ROOT / "tests" / "data" / "listing.json").read_text(encoding="utf-8"))["articles"]
}
EVERY_ARTICLE = pytest.mark.parametrize("id", sorted(LISTING))


@cache
def items() -> dict[str, SourceItem]:
    return {item.id: item for item in read_source(KB, Ignored()) if isinstance(item, SourceItem)}


@cache
def read(id: str) -> Article:
    return items()[id].parse()


def fences(markdown: str) -> list[str]:
    """The first line of every code block."""
    blocks = (b for section in outline(markdown, "").sections for b in section.blocks if b.kind == "code")
    return [markdown[b.start : b.end].split("\n")[0] for b in blocks]


def without_code(markdown: str) -> str:
    return re.sub(r"^```.*?^```$", "", markdown, flags=re.DOTALL | re.MULTILINE)


def test_the_folder_holds_exactly_the_52_articles_of_the_listing() -> None:
    assert len(LISTING) == 52
    assert sorted(items()) == sorted(LISTING)


def test_eleven_articles_are_featured_and_220_tags_are_used() -> None:
    articles = [read(id) for id in LISTING]
    assert sum(article.featured for article in articles) == 11
    assert len({tag for article in articles for tag in article.tags}) == 220


def test_the_category_is_that_of_the_listing() -> None:
    listing = json.loads((ROOT / "tests" / "data" / "listing.json").read_text(encoding="utf-8"))
    for item in items().values():
        assert item.category.name == listing["category"]["name"]
        assert item.category.description == listing["category"]["description"]
        assert item.category.site_label == listing["main_site_link"]


@EVERY_ARTICLE
def test_the_front_matter_is_that_of_the_listing(id: str) -> None:
    article = read(id)
    assert {
        "id": article.id,
        "title": article.title,
        "summary": article.summary,
        "tags": list(article.tags),
        "views": article.views,
        "updated": str(article.updated),
        "featured": article.featured,
        "type": article.type,
    } == LISTING[id]


@EVERY_ARTICLE
def test_every_link_leads_to_an_article_that_is_there(id: str) -> None:
    targets = re.findall(r"\]\(([^)\s]+)", without_code(read(id).markdown))
    relative = [target for target in targets if not target.startswith(("https://", "http://"))]
    assert relative
    for target in relative:
        file, _, anchor = target.partition("#")
        linked = read(file.removesuffix(".md") or id)
        assert not anchor or anchor in [h.anchor for h in outline(linked.markdown, linked.title).headings], target


@EVERY_ARTICLE
def test_every_tag_occurs_in_the_text(id: str) -> None:
    article = read(id)
    assert [tag for tag in article.tags if tag.lower() not in article.markdown.lower()] == []


@EVERY_ARTICLE
def test_every_code_block_names_its_language(id: str) -> None:
    opened = fences(read(id).markdown)
    assert opened
    assert [fence for fence in opened if not re.fullmatch(r"```[a-z]\S*", fence)] == []


@EVERY_ARTICLE
def test_an_article_has_900_to_1800_words(id: str) -> None:
    markdown = read(id).markdown
    assert len(without_code(markdown).split()) >= 900
    assert len(markdown.split()) <= 1800


@EVERY_ARTICLE
def test_an_article_begins_with_text_and_divides_into_sections(id: str) -> None:
    headings = outline(read(id).markdown, "").headings
    assert headings[0].start > 0
    assert [h.text for h in headings if h.level == 1] == []
    assert len([h for h in headings if h.level == 2]) >= 4
