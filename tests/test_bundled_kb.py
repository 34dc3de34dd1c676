"""The bundled KB as a user meets it over HTTP."""

from __future__ import annotations

from tests.conftest import Site


def test_all_52_articles_are_listed_eleven_featured_ones_first(kb_site: Site) -> None:
    listing = kb_site.client.get("/api/v1/articles", params={"limit": 100}).json()
    assert listing["total"] == len(listing["items"]) == 52
    assert [a["featured"] for a in listing["items"]] == [True] * 11 + [False] * 41


def test_the_bundled_kb_has_220_tags(kb_site: Site) -> None:
    assert kb_site.client.get("/api/v1/tags").json()["total"] == 220


def test_the_category_page_says_52_results(kb_site: Site) -> None:
    assert "52 results" in kb_site.client.get("/browse").text
