"""The chat in a real browser."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.conftest import assert_accessible


def test_the_empty_chat_is_accessible(looked_at: Page) -> None:
    looked_at.goto("/")
    assert_accessible(looked_at)
