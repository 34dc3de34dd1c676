"""Insights and the description of the API in a real browser."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import assert_accessible
from web.middleware.headers import HEADERS


def ask(page: Page, *questions: str) -> None:
    for question in questions:
        response = page.request.post("/api/v1/ask", data={"question": question})
        assert response.ok


def test_insights_are_accessible_and_show_what_is_missing(looked_at: Page) -> None:
    ask(
        looked_at,
        "How do I order a new laptop?",
        "Who repairs my laptop?",
        "What happens when a refresh token is used twice?",
    )
    looked_at.goto("/insights?days=7")
    assert_accessible(looked_at)
    expect(looked_at.locator(".gaps h3").filter(has_text="laptop").first).to_be_visible()
    for summary in looked_at.locator("summary:visible").all():
        summary.click()
    assert_accessible(looked_at)
    looked_at.goto("/insights/inspect?q=What+happens+when+a+refresh+token+is+used+twice")
    expect(looked_at.get_by_role("heading", name="Answered", exact=True)).to_be_visible()
    assert_accessible(looked_at)


def test_the_api_is_described_accessibly(looked_at: Page) -> None:
    looked_at.goto("/docs")
    expect(looked_at.get_by_role("heading", name="POST /api/v1/ask", exact=True)).to_be_visible()
    for summary in looked_at.locator("summary").all():
        summary.click()
    assert_accessible(looked_at)


def test_every_page_has_the_content_security_policy(page: Page) -> None:
    article = "/articles/load-testing-with-k6"
    for url in (
        "/browse",
        article,
        f"{article}.md",
        "/articles/gone",
        "/insights",
        "/insights/inspect?q=tokens",
        "/insights/gaps.csv",
        "/docs",
        "/openapi.json",
        "/llms.txt",
        "/static/browse.js",
    ):
        headers = page.request.get(url).headers
        assert headers["content-security-policy"] == HEADERS["content-security-policy"], url


def test_a_period_is_chosen_and_a_question_inspected_without_javascript(plain_page: Page) -> None:
    ask(plain_page, "How do I book a flight?")
    plain_page.goto("/insights")
    plain_page.get_by_role("link", name="90 days").click()
    assert plain_page.url.endswith("days=90")
    plain_page.get_by_role("link", name="Inspect a question").click()
    plain_page.get_by_label("Question").fill("When is a circuit breaker open?")
    plain_page.get_by_role("button", name="Inspect").click()
    expect(plain_page.get_by_text("Resilience Patterns").first).to_be_visible()
