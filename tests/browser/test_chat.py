"""The chat as people use it: asking, reading footnotes, going on, and what happens when things go wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import LOOKS, OpenPage, Server, Watch, assert_accessible, start_server
from tests.browser.slow_line import SlowLine

ROTATE = "What happens when a refresh token is used twice?"
UNKNOWN = "What is the capital of Mongolia?"


def ask(page: Page, question: str) -> Locator:
    """The turn that shows the answer."""
    turns = page.locator(".turn[data-answer]")
    before = turns.count()
    page.fill("#question", question)
    page.press("#question", "Enter")
    turns.nth(before).wait_for()
    return turns.nth(before)


def test_a_question_is_answered_with_footnotes_that_open_the_article_at_the_passage(page: Page) -> None:
    page.goto("/")
    turn = ask(page, ROTATE)
    expect(turn.locator(".question")).to_have_text(ROTATE)
    expect(turn.locator(".confidence")).to_have_text(re.compile(r"^Confidence \d+ %"))
    expect(page.locator("#said")).to_have_text(re.compile(r"^Answer ready, \d sources?$"))
    expect(page.locator("#question")).to_have_value("")
    expect(page).to_have_url(re.compile("/conversations/[0-9a-f]{32}$"))
    turn.locator("a.cite").first.click()
    passage = page.locator("mark.cited").first
    expect(passage).to_be_in_viewport()
    expect(passage).to_contain_text("Token rotation means that each refresh returns a new refresh token")
    page.go_back()
    expect(page.locator(".turn .question")).to_have_text(ROTATE)


def test_a_footnote_shows_its_source_on_hover_and_on_focus_and_esc_closes_it(page: Page) -> None:
    page.goto("/")
    turn = ask(page, ROTATE)
    chip, preview = turn.locator("a.cite").first, page.locator("#preview")
    chip.hover()
    expect(preview).to_contain_text("JWT Authentication — Implementation and Security Patterns")
    expect(preview).to_contain_text("Refresh tokens and token rotation")
    expect(preview.locator("blockquote")).to_contain_text("Token rotation means that each refresh")
    expect(preview.locator("time")).to_have_attribute("datetime", re.compile(r"^\d{4}-\d\d-\d\d$"))
    preview.hover()  # it stays while it is pointed at
    expect(preview).to_be_visible()
    page.keyboard.press("Escape")
    expect(preview).to_have_count(0)
    page.mouse.move(5, 5)
    page.locator("#question").focus()
    while page.evaluate("!document.activeElement.matches('a.cite')"):
        page.keyboard.press("Shift+Tab")
    expect(preview).to_be_visible()
    page.keyboard.press("Escape")
    expect(preview).to_have_count(0)
    assert page.evaluate("document.activeElement.matches('a.cite')")


def test_a_follow_up_belongs_to_its_conversation_and_a_reload_shows_all_of_it(page: Page) -> None:
    page.goto("/")
    ask(page, ROTATE)
    address = page.url
    second = ask(page, "What happens when one is presented twice?")
    expect(second.locator(".prose")).to_contain_text("revoke")
    assert page.url == address
    page.reload()
    expect(page.locator(".turn .question")).to_have_text([ROTATE, "What happens when one is presented twice?"])
    page.locator(".suggestions button").last.click()
    expect(page.locator(".turn[data-answer]")).to_have_count(3)


def test_tags_restrict_the_answer_and_can_be_taken_off(page: Page) -> None:
    page.goto("/")
    page.locator(".tags summary").click()
    page.get_by_role("checkbox", name="idempotency").check()
    turn = ask(page, "Which HTTP methods are idempotent?")
    expect(turn.locator(".sources a").first).to_contain_text("Idempotency")
    page.get_by_role("button", name="Remove the tag idempotency").click()
    expect(page.locator(".chosen button")).to_have_count(0)
    expect(page.locator("#question")).to_be_focused()


def test_a_refusal_helps_and_its_topic_can_be_reported(page: Page) -> None:
    page.goto("/")
    turn = ask(page, UNKNOWN)
    expect(turn.locator(".verdict")).to_have_text("The knowledge base does not say.")
    expect(turn.locator(".refusal")).to_contain_text("Try it differently")
    turn.get_by_role("button", name="Report missing topic").click()
    expect(turn.locator(".feedback")).to_contain_text("Thank you, noted")


def test_feedback_asks_for_the_reason_and_is_remembered_at_the_permalink(page: Page) -> None:
    page.goto("/")
    turn = ask(page, ROTATE)
    turn.get_by_role("button", name="No", exact=True).click()
    turn.get_by_role("radio", name="It is incomplete").check()
    turn.get_by_role("button", name="Send").click()
    expect(turn.locator(".feedback")).to_contain_text("Thank you, noted")
    turn.get_by_role("link", name="Permalink").click()
    expect(page.locator(".turn .question")).to_have_text(ROTATE)
    expect(page.locator(".feedback")).to_contain_text("Thank you, noted")
    page.reload()
    expect(page.locator("a.cite").first).to_be_visible()
    expect(page.locator("form.ask, .about")).to_have_count(0)  # shared: not theirs to go on with or delete


def test_a_draft_survives_a_reload_and_an_address_can_bring_one(page: Page) -> None:
    page.goto("/")
    page.fill("#question", "How do I")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("rotate?")
    page.reload()
    expect(page.locator("#question")).to_have_value("How do I\nrotate?")
    page.goto("/?q=Why%20retry%3F")
    expect(page.locator("#question")).to_have_value("Why retry?")


def test_conversations_are_listed_in_this_browser_and_can_be_deleted(page: Page) -> None:
    page.goto("/")
    ask(page, ROTATE)
    address = page.url
    page.goto("/")
    expect(page.locator(".past a")).to_have_text([ROTATE])
    page.get_by_role("button", name=f"Delete “{ROTATE}”").click()
    page.locator(".past button").click()
    expect(page.locator(".past li")).to_have_count(0)
    response = page.request.get(address)
    assert response.status == 404


def test_keys_reach_everything(page: Page) -> None:
    page.goto("/browse")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    page.goto("/")
    page.locator("body").press("/")
    expect(page.locator("#question")).to_be_focused()
    page.keyboard.type(ROTATE)
    page.keyboard.press("Enter")
    page.locator(".turn[data-answer]").wait_for()
    expect(page.locator("#question")).to_be_focused()
    reached = set()
    for _ in range(60):
        page.keyboard.press("Shift+Tab")
        reached.add(
            page.evaluate("(document.activeElement.className || document.activeElement.name || '').split(' ')[0]")
        )
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none" or page.evaluate(
            "document.activeElement === document.body || !!document.activeElement.closest('.box')"
        )
    assert {"cite", "quiet", "question", "brand", "skip", "button"} <= reached, reached


# When things go wrong


@pytest.fixture
def line(server: Server, watch: Watch) -> Iterator[SlowLine]:
    line = SlowLine(server.url)
    watch.origin = line.url
    yield line
    line.close()


def test_stop_keeps_what_has_come_and_the_question_can_be_asked_again(open_page: OpenPage, line: SlowLine) -> None:
    page = open_page(base_url=line.url)
    page.goto("/")
    line.hold()
    page.fill("#question", ROTATE)
    page.keyboard.press("Enter")
    page.locator("#question").press("Enter")
    expect(page.locator(".draft")).to_contain_text("Token rotation means that each refresh returns a new refresh token")
    expect(page.locator(".stage")).to_have_text("Answering…")
    expect(page.locator(".log")).to_have_attribute("aria-busy", "true")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".stage")).to_have_text("Stopped.")
    expect(page.locator(".draft")).to_contain_text("Token rotation means")
    line.let_go()
    page.get_by_role("button", name="Retry").click()
    expect(page.locator(".turn[data-answer] .prose")).to_contain_text("Hash the presented refresh token")
    expect(page.locator(".turn")).to_have_count(1)


def test_a_server_killed_in_the_middle_of_an_answer_shows_retry_and_keeps_the_question(
    open_page: OpenPage, watch: Watch, index: Path, tmp_path: Path
) -> None:
    own = start_server(index, tmp_path)
    line = SlowLine(own.url)
    watch.origin = line.url
    watch.allowed = ("ERR_", "Failed to load resource")
    page = open_page(base_url=line.url)
    page.goto("/")
    line.hold()
    page.fill("#question", ROTATE)
    page.keyboard.press("Enter")
    expect(page.locator(".draft")).to_contain_text("Token rotation means")
    own.kill()
    line.let_go(cut=True)
    expect(page.locator(".turn .error")).to_contain_text("The connection was lost before the answer was complete.")
    expect(page.locator(".turn .question")).to_have_text(ROTATE)
    again = start_server(index, tmp_path, port=int(own.url.rsplit(":", 1)[1]))
    page.get_by_role("button", name="Retry").click()
    expect(page.locator(".turn[data-answer] .question")).to_have_text(ROTATE)
    expect(page.locator(".turn .error")).to_have_count(0)
    again.stop()
    line.close()
    for server in (own, again):
        assert server.process.stdout
        server.process.stdout.close()


def test_what_the_server_refuses_is_said_beside_the_question(page: Page, watch: Watch) -> None:
    watch.allowed = ("422",)
    page.goto("/?tags=nonesuch")
    page.fill("#question", ROTATE)
    page.keyboard.press("Enter")
    expect(page.locator(".turn .error")).to_contain_text("No article carries the tag 'nonesuch'.")
    page.get_by_role("button", name="Edit the question").click()
    expect(page.locator("#question")).to_have_value(ROTATE)


# Without JavaScript


def test_everything_works_without_javascript(plain_page: Page) -> None:
    page = plain_page
    page.goto("/?q=What%20happens%20when%20a%20refresh%20token%20is%20used%20twice%3F")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator(".turn .question")).to_have_text(ROTATE)
    expect(page.locator(".sources a").first).to_be_visible()
    page.fill("#question", "What happens when one is presented twice?")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator(".turn .question")).to_have_count(2)
    page.locator(".suggestions button").last.click()
    expect(page.locator(".turn .question")).to_have_count(3)
    address = page.url
    page.get_by_role("button", name="No", exact=True).first.click()
    page.get_by_role("radio", name="It is wrong").check()
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".feedback")).to_contain_text("Thank you, noted")
    page.goto(address)
    page.locator(".delete summary").click()
    page.get_by_role("button", name="Delete this conversation").click()
    assert page.request.get(address).status == 404
    page.fill("#question", UNKNOWN)
    page.get_by_role("button", name="Ask", exact=True).click()
    page.get_by_role("button", name="Report missing topic").click()
    expect(page.locator(".feedback")).to_contain_text("Thank you, noted")


# Every state in every look


@pytest.mark.parametrize("look", LOOKS)
def test_every_state_is_accessible(open_page: OpenPage, line: SlowLine, look: str) -> None:
    page = open_page(base_url=line.url, reduced_motion="reduce", **LOOKS[look])
    page.goto("/")
    page.locator(".tags summary").click()
    page.get_by_role("checkbox", name="idempotency").check()
    assert_accessible(page)
    page.get_by_role("button", name="Remove the tag idempotency").click()
    page.locator(".tags summary").click()
    line.hold()
    page.fill("#question", "Show me a Kubernetes deployment manifest in YAML")
    page.keyboard.press("Enter")
    page.locator(".draft").get_by_text("manifest").wait_for()
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Retry").wait_for()
    assert_accessible(page)
    line.let_go()
    page.get_by_role("button", name="Retry").click()
    turn = page.locator(".turn[data-answer]")
    turn.wait_for()
    turn.get_by_role("button", name="No", exact=True).click()
    turn.get_by_role("button", name="Send").wait_for()
    ask(page, UNKNOWN)
    ask(page, "Which of PUT and POST is idempotent, and why?")
    page.locator("a.cite").last.hover()
    page.locator("#preview").wait_for()
    assert_accessible(page)
