"""The widget on somebody else's site, which has a policy and styles of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Server, start_server


@pytest.fixture
def site() -> Iterator[ThreadingHTTPServer]:
    """Another origin; `home` on it says whose widget its page embeds."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            home = getattr(self.server, "home", "")
            self.send_response(200)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-security-policy", f"default-src 'none'; script-src {home}; connect-src {home}")
            self.end_headers()
            page = f"""<!doctype html><html lang="en"><title>Wiki</title><h1>Wiki</h1>
                <script src="{home}/widget.js" data-label="Ask the KB" data-title="Our KB"></script>"""
            self.wfile.write(page.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_site_that_is_allowed_to_can_ask_from_its_own_pages(
    chromium: Browser, site: ThreadingHTTPServer, index: Path, tmp_path: Path
) -> None:
    origin = f"http://127.0.0.1:{site.server_port}"
    kb = start_server(index, tmp_path, FOOTNOTE_WIDGET_ORIGINS=f"https://wiki.example {origin}")
    site.home = kb.url  # type: ignore[attr-defined]
    page = chromium.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.goto(origin)
    page.get_by_role("button", name="Ask the KB").click()
    page.get_by_role("textbox", name="Your question").fill("What happens when a refresh token is used twice?")
    page.keyboard.press("Enter")
    turn = page.locator(".turn")
    expect(turn.locator(".prose")).to_contain_text("Hash the presented refresh token", timeout=60_000)
    address = turn.locator("a.cite").first.get_attribute("href")
    assert address
    assert address.startswith(f"{kb.url}/articles/")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Ask the KB")).to_be_focused()
    assert [text for text in wrong if "favicon" not in text] == []
    page.context.close()
    kb.stop()
    assert kb.process.stdout
    kb.process.stdout.close()


def test_it_is_off_unless_a_site_is_allowed(chromium: Browser, server: Server) -> None:
    page = chromium.new_page()
    response = page.request.get(f"{server.url}/widget.js")
    assert response.status == 404
    answered = page.request.get(f"{server.url}/api/v1/status", headers={"origin": "https://wiki.example"})
    assert "access-control-allow-origin" not in answered.headers
    page.context.close()
