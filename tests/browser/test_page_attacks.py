"""No payload in a title, body, tag, summary, file name or search runs a script or reaches another site (S3)."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import OpenPage, Server, Watch
from tests.browser.payloads import PAYLOADS
from tests.browser.test_chat_attacks import attacked, hostile_server

__all__ = ["hostile_server"]  # a fixture of the chat's attacks: the same dozen articles

_INJECTED = (
    "main script, main img, main iframe, main object, main embed, main style, main [style], main [onerror], "
    "main [onload], main [onfocus], main [onclick], main base, main meta"
)


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without"])
def java_script(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def victim(java_script: bool, open_page: OpenPage, hostile_server: Server, watch: Watch) -> Page:
    watch.origin = hostile_server.url
    watch.allowed = ("status of 404", "status of 422")  # an unknown article, an unknown tag
    return open_page(base_url=hostile_server.url, java_script_enabled=java_script)


def unharmed(page: Page, java_script: bool = True) -> None:
    assert page.locator(_INJECTED).count() == 0
    if java_script:
        attacked(page)


def test_articles_with_payloads_everywhere_do_nothing(victim: Page, java_script: bool) -> None:
    assert len(PAYLOADS) >= 100
    listed = victim.request.get("/api/v1/articles?limit=200").json()["items"]
    assert len(listed) >= 12
    for article in listed:
        for url in (article["url"], f"{article['url']}?cite=10-400#cited"):
            victim.goto(url)
            unharmed(victim, java_script)
            links = [link.get_attribute("href") or "" for link in victim.locator(".prose a").all()]
            assert all(link.lower().startswith(("http://", "https://", "mailto:", "/", "#")) for link in links)


def test_the_listing_of_such_articles_does_nothing(victim: Page, java_script: bool) -> None:
    victim.goto("/browse")
    unharmed(victim, java_script)
    for payload in PAYLOADS[::10]:
        victim.goto(f"/browse?q={quote(payload[:300])}&tag={quote(payload[:150])}")
        unharmed(victim, java_script)
        victim.goto(f"/insights/inspect?q={quote(payload)}")
        unharmed(victim, java_script)
    victim.goto(f"/articles/{quote(PAYLOADS[0], safe='')}")
    unharmed(victim, java_script)
    victim.goto("/insights")
    unharmed(victim, java_script)


def test_typing_payloads_into_the_search_does_nothing(
    open_page: OpenPage, hostile_server: Server, watch: Watch
) -> None:
    watch.origin = hostile_server.url
    page = open_page(base_url=hostile_server.url)
    page.goto("/browse")
    page.locator("summary").first.click()
    for payload in ("gadget", *PAYLOADS[::8]):
        with page.expect_response(lambda response: "/api/v1/articles" in response.url):
            page.get_by_label("Search titles").fill(payload[:300])
        unharmed(page)
