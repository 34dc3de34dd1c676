"""A server that nobody enters without a key, as a browser meets it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import LOOKS, OpenPage, Server, Watch, assert_accessible, start_server
from tests.browser.test_chat import ROTATE, ask
from web.access.keys import Keys
from web.access.sqlite_keys import SqliteKeyStore


@dataclass(frozen=True)
class Closed:
    """The server, its keys, and one of them as its holder has it."""

    server: Server
    keys: Keys
    key: str


@pytest.fixture(scope="module")
def closed(index: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Closed]:
    folder = tmp_path_factory.mktemp("closed")
    keys = Keys(SqliteKeyStore(folder / "keys.sqlite"))
    _, presented = keys.create("Ann's laptop", ("ask", "read", "feedback"))
    # Whoever comes from the machine itself comes through a proxy, then.
    server = start_server(index, folder, FOOTNOTE_TRUSTED_PROXIES="127.0.0.1")
    yield Closed(server, keys, presented)
    server.stop()
    assert server.process.stdout
    server.process.stdout.close()
    keys.close()


@pytest.fixture
def watch(closed: Closed) -> Iterator[Watch]:
    watch = Watch(closed.server.url, allowed=("status of 401",))
    yield watch
    watch.check()


@pytest.mark.parametrize("look", LOOKS)
def test_the_way_in_can_be_used_by_everybody(open_page: OpenPage, closed: Closed, look: str) -> None:
    page = open_page(**LOOKS[look], base_url=closed.server.url)
    page.goto("/browse?tag=JWT")
    expect(page.locator("#key")).to_be_focused()
    assert_accessible(page)
    page.fill("#key", "fn_wrong")
    page.press("#key", "Enter")
    expect(page.get_by_role("alert")).to_have_text("This is no API key of this server.")
    assert_accessible(page)


@pytest.mark.parametrize("script", [True, False])
def test_whoever_signs_in_asks_reads_and_leaves_nothing_behind(
    open_page: OpenPage, closed: Closed, script: bool
) -> None:
    page = open_page(base_url=closed.server.url, java_script_enabled=script)
    page.goto("/browse?tag=JWT")
    page.fill("#key", closed.key)
    page.press("#key", "Enter")
    expect(page).to_have_url(f"{closed.server.url}/browse?tag=JWT")
    page.goto("/")
    if script:
        ask(page, ROTATE)
    else:
        page.fill("#question", ROTATE)
        page.click(".ask button[type=submit]")
        page.locator(".turn[data-answer]").wait_for()
    held = page.url
    page.click("text=Account")
    expect(page.get_by_role("heading")).to_have_text("You are signed in")
    if script:
        assert_accessible(page)
    page.click("text=Sign out")
    page.goto(held)
    expect(page.locator("#key")).to_be_visible()
    assert page.context.cookies() == []
    if script:
        assert page.evaluate("localStorage.length") == 0


def test_a_page_whose_key_is_revoked_says_so_where_one_asked(open_page: OpenPage, closed: Closed) -> None:
    key, presented = closed.keys.create("short", ("ask", "read"))
    page = open_page(base_url=closed.server.url)
    page.goto("/")
    page.fill("#key", presented)
    page.press("#key", "Enter")
    page.locator("#question").wait_for()
    closed.keys.revoke(key.id)
    page.fill("#question", ROTATE)
    page.press("#question", "Enter")
    expect(page.locator(".turn .error")).to_have_text("You are not signed in any more.")
    page.reload()
    expect(page.locator("#key")).to_be_visible()
    page.fill("#key", closed.key)
    page.press("#key", "Enter")
    expect(page.locator("#question")).to_have_value(ROTATE)  # what was typed is not lost
