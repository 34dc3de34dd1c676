"""No payload in a title, body, tag, file name or question runs a script or reaches another site (S3 of the chat)."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
import yaml
from playwright.sync_api import Page

from tests.browser.conftest import OpenPage, Server, Watch, start_server
from tests.browser.payloads import PAYLOADS
from tests.conftest import ROOT

_GROUPS = 12


@pytest.fixture(scope="module")
def hostile_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A dozen articles, each with its share of the payloads in every place an article has."""
    folder = tmp_path_factory.mktemp("hostile")
    source = folder / "source"
    source.mkdir()
    for n in range(_GROUPS):
        share = PAYLOADS[n::_GROUPS]
        name = re.sub(r"[/\0\n\t]", "_", f"gadget{n} {share[0]} {share[1]}")[:80]
        front = {"title": f"Gadget {n} {' '.join(share)}", "summary": f"Gadget {n} {share[2]}", "tags": share}
        body = "\n\n".join(f"Gadget number {n} is cleaned with {payload} every day." for payload in share)
        text = f"---\n{yaml.safe_dump(front, allow_unicode=True)}---\n## Cleaning {share[3]}\n\n{body}\n"
        (source / f"{name}.md").write_text(text, encoding="utf-8")
    ingest = [sys.executable, "-m", "web", "ingest", str(source), "--index", str(folder / "index")]
    subprocess.run(ingest, cwd=ROOT, check=True, capture_output=True)
    server = start_server(folder / "index", folder)
    yield server
    server.stop()
    assert server.process.stdout
    server.process.stdout.close()


def attacked(page: Page) -> None:
    """Point at and focus what could be waiting for it."""
    page.mouse.move(200, 300)
    page.mouse.wheel(0, 400)
    page.keyboard.press("Tab")
    page.evaluate("scrollTo(0, 0)")


@pytest.mark.parametrize("java_script", [True, False], ids=["with JavaScript", "without"])
def test_no_payload_does_anything(open_page: OpenPage, hostile_server: Server, watch: Watch, java_script: bool) -> None:
    watch.origin = hostile_server.url
    page = open_page(base_url=hostile_server.url, java_script_enabled=java_script)
    page.goto("/")
    for n in range(_GROUPS):
        share = "\n".join(PAYLOADS[n::_GROUPS])
        page.fill("#question", f"How is gadget number {n} cleaned? {share}"[:3900])
        page.get_by_role("button", name="Ask", exact=True).click()
        page.locator(".turn[data-answer]").nth(n if n < 10 or java_script else 9).wait_for()
        if java_script:
            attacked(page)
    address = page.url
    page.goto(address)
    page.locator(".turn[data-answer]").first.wait_for()
    assert page.locator(".turn script, .turn img, .turn iframe, .turn svg, .turn style, .turn [onerror]").count() == 0
    hrefs = page.locator(".turn a").evaluate_all("links => links.map((link) => link.protocol)") if java_script else []
    assert set(hrefs) <= {"http:"}
    page.get_by_role("link", name="Permalink").first.click()
    page.locator(".turn").wait_for()
    page.goto("/?q=" + "%3Cscript%3Ealert(1)%3C/script%3E&tags=%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E")
    if java_script:
        attacked(page)
