"""An article in a real browser, with JavaScript and without."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import LOOKS, OpenPage, Watch, assert_accessible

JWT = "/articles/jwt-authentication-implementation-and-security-patterns"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"


def cited(page: Page) -> str:
    """The address of a passage of the JWT article, as search gives it."""
    found = page.request.get("/api/v1/search?q=how+do+I+rotate+refresh+tokens").json()
    return str(found["items"][0]["url"])


def test_an_article_is_accessible(looked_at: Page) -> None:
    for url in (JWT, f"{JWT}?voted=yes", cited(looked_at)):
        looked_at.goto(url)
        assert_accessible(looked_at)


def test_an_article_that_is_not_there_names_near_ones(looked_at: Page, watch: Watch) -> None:
    watch.allowed = ("404",)
    looked_at.goto("/articles/jwt-authentification")
    assert_accessible(looked_at)
    looked_at.get_by_role("link", name="JWT Authentication").first.click()
    expect(looked_at.get_by_role("heading", level=1)).to_have_text(re.compile("JWT Authentication"))


def test_the_cited_passage_is_in_view_in_focus_and_leads_back(page: Page) -> None:
    page.goto("/")
    page.goto(cited(page))
    passage = page.locator("mark#cited")
    expect(passage).to_be_in_viewport()
    expect(passage).to_be_focused()
    page.get_by_role("button", name="Back to answer").click()
    expect(page.locator("#question")).to_be_visible()


def test_an_answer_is_led_back_to_by_its_own_address(plain_page: Page) -> None:
    address = cited(plain_page).replace("?cite", "?answer=0123456789abcdef0123456789abcdef&cite")
    plain_page.goto(address)
    expect(plain_page.locator("mark#cited")).to_be_in_viewport()
    back = plain_page.get_by_role("link", name="Back to answer")
    assert back.get_attribute("href") == "/answers/0123456789abcdef0123456789abcdef"


def test_the_contents_say_which_section_is_read(page: Page) -> None:
    page.goto(JWT)
    last = page.locator(".contents a").last
    last.click()
    expect(last).to_have_attribute("aria-current", "true")
    page.evaluate("scrollTo(0, document.querySelectorAll('.prose h2')[1].getBoundingClientRect().top + scrollY - 20)")
    expect(page.locator(".contents a[aria-current]")).to_have_text(page.locator(".prose h2").nth(1).inner_text())


def test_code_and_links_to_sections_are_copied(open_page: OpenPage) -> None:
    page = open_page(**LOOKS["light"], permissions=["clipboard-read", "clipboard-write"])
    page.goto(JWT)
    page.get_by_role("button", name="Copy code 1").click()
    expect(page.get_by_role("button", name="Copy code 1")).to_have_text("Copied")
    code = page.locator(".prose pre").first.text_content()
    assert page.evaluate("navigator.clipboard.readText()") == code
    anchor = page.locator(".prose .anchor").first
    anchor.click()
    expect(page.locator("p.hidden[role=status]")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    wrap = page.get_by_role("button", name="Wrap the lines of code 1")
    wrap.click()
    expect(wrap).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("getComputedStyle(document.querySelector('.prose .code pre')).whiteSpace") == "pre-wrap"


def test_an_opinion_is_given_without_leaving_the_place(page: Page) -> None:
    page.goto(JWT)
    page.get_by_role("button", name="Yes").press("Enter")
    expect(page.get_by_text("Thank you: your opinion is counted.")).to_be_focused()


def test_without_javascript_an_opinion_comes_back_with_thanks(plain_page: Page) -> None:
    plain_page.goto(JWT)
    plain_page.get_by_role("button", name="No", exact=True).click()
    expect(plain_page.get_by_text("Thank you: your opinion is counted.")).to_be_in_viewport()


def test_a_reader_is_one_view_a_day_however_often_they_come(open_page: OpenPage) -> None:
    page = open_page(user_agent=FIREFOX)
    url = "/articles/load-testing-with-k6"
    views = page.request.get(f"/api/v1{url}").json()["views"]
    page.goto(url)
    expect(page.locator(".facts").first).to_contain_text(re.compile(rf"\b{views + 1} views?\b"))
    page.reload()
    assert page.request.get(f"/api/v1{url}").json()["views"] == views + 1


def test_everything_is_reached_by_keyboard_and_seen_in_focus(page: Page) -> None:
    page.goto(JWT)
    reached: list[str] = []
    for _ in range(250):
        page.keyboard.press("Tab")
        seen = page.evaluate(
            """() => {
              const e = document.activeElement;
              if (e === document.body) return null;
              const style = getComputedStyle(e);
              return [e.className || e.tagName, style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0];
            }"""
        )
        if seen is None:
            break
        assert seen[1], f"no visible focus on {seen[0]}"
        reached.append(str(seen[0]))
    assert {"anchor", "scroll", "button", "outline"} <= set(reached)
