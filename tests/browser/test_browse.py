"""The listing in a real browser, with JavaScript and without."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import assert_accessible


def titles(page: Page) -> list[str]:
    return page.locator(".articles h2").all_inner_texts()


def test_the_listing_is_accessible_in_every_state(looked_at: Page) -> None:
    for url in ("/browse", "/browse?q=idempotncy", "/browse?q=zebra", "/browse?tag=API&tag=REST&tag_mode=all&page=2"):
        looked_at.goto(url)
        assert_accessible(looked_at)
    looked_at.locator("summary").first.click()
    assert_accessible(looked_at)


def test_typing_filters_at_once_and_the_address_says_so(page: Page) -> None:
    page.goto("/browse")
    page.get_by_label("Search titles").press_sequentially("idempot")
    expect(page.get_by_role("status").first).to_have_text(re.compile(r"^\d results$"))
    assert "API Idempotency — Safe Retries for Mutations" in titles(page)
    assert page.url.endswith("/browse?q=idempot")
    page.reload()
    assert "API Idempotency — Safe Retries for Mutations" in titles(page)


def test_what_javascript_shows_is_what_the_server_shows(page: Page) -> None:
    for url, changed in (
        ("/browse?q=api", lambda: page.get_by_label("Search titles").fill("api")),
        ("/browse?q=api&sort=title", lambda: page.get_by_label("Sort by").select_option("title")),
        ("/browse?q=apii&sort=title", lambda: page.get_by_label("Search titles").fill("apii")),
        ("/browse?q=zzzz&sort=title", lambda: page.get_by_label("Search titles").fill("zzzz")),
    ):
        page.goto("/browse" if url == "/browse?q=api" else page.url)
        with page.expect_response(lambda response: "/api/v1/articles" in response.url):
            changed()
        page.wait_for_url(f"**{url}")
        shown = page.locator("#\\~found").inner_text()
        page.goto(url)
        assert page.locator("#\\~found").inner_text() == shown


def test_a_tag_filters_keeps_the_focus_and_counts_live(page: Page) -> None:
    page.goto("/browse")
    page.locator("summary").first.press("Enter")
    box = page.locator("input[name=tag][value=JWT]")
    box.focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("link", name="Remove the tag JWT")).to_be_visible()
    expect(box).to_be_focused()
    page.get_by_label("all of them").check()
    expect(page.get_by_role("status").first).to_have_text(re.compile(r"^\d+ results?$"))
    page.locator("input[name=tag][value=auth]").check()
    expect(page.get_by_role("link", name="Remove the tag auth")).to_be_visible()
    assert "tag_mode=all" in page.url


def test_the_filtered_articles_can_be_asked_about(page: Page) -> None:
    page.goto("/browse?tag=JWT")
    page.get_by_role("link", name=re.compile("^Ask about (this article|these)")).click()
    assert page.url.endswith("/?tags=JWT")


def test_a_mistyped_word_is_put_right_and_nothing_found_leads_to_the_chat(page: Page) -> None:
    page.goto("/browse")
    page.get_by_label("Search titles").fill("idempotncy")
    expect(page.get_by_text("Did you mean")).to_be_visible()
    page.locator(".corrected a").click()
    assert page.url.endswith("q=idempotency")
    page.get_by_label("Search titles").fill("how do zebras sleep")
    page.locator(".nothing").get_by_role("link", name="Ask this in chat").click()
    expect(page.locator("#question")).to_have_value("how do zebras sleep")


def test_without_javascript_the_form_does_the_same(plain_page: Page) -> None:
    plain_page.goto("/browse")
    plain_page.get_by_label("Search titles").fill("idempotncy")
    plain_page.get_by_role("button", name="Show").click()
    assert plain_page.get_by_role("status").first.inner_text().endswith("for “idempotency”")
    plain_page.get_by_label("Sort by").select_option("title")
    plain_page.get_by_role("button", name="Show").click()
    assert "sort=title" in plain_page.url
    plain_page.goto("/browse")
    plain_page.get_by_label("Page 3").click()
    assert len(titles(plain_page)) == 12
