"""The pages in Debian's Chromium, against a real server process with the real index of the bundled KB.

Every page a test opens is watched: an error in its console, a dialog, or a request to another origin fails the test.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import psutil  # type: ignore[import-untyped]
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, sync_playwright

from tests.conftest import ROOT

OpenPage: TypeAlias = Callable[..., Page]  # options of Playwright's Browser.new_context

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
_FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
_DEADLINE = 60_000  # ms for anything a test waits for
WIDE, NARROW = {"width": 1280, "height": 860}, {"width": 320, "height": 640}

# What a page has to hold its own in. Half the size at twice the density is a desktop at 200 % zoom.
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": WIDE},
    "dark": {"color_scheme": "dark", "viewport": WIDE},
    "320px": {"color_scheme": "light", "viewport": NARROW},
    "320px dark": {"color_scheme": "dark", "viewport": NARROW},
    "zoom": {"color_scheme": "light", "viewport": {"width": 640, "height": 430}, "device_scale_factor": 2},
}


@dataclass
class Server:
    """A server process and the address it answers at."""

    url: str
    process: subprocess.Popen[str]

    def kill(self) -> None:
        """SIGKILL, to the supervisor first, so that it starts no other process."""
        first = psutil.Process(self.process.pid)
        for process in (first, *first.children()):
            process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        self.process.terminate()
        return self.process.wait(timeout=15)


def start_server(index: Path, folder: Path, port: int = 0, **settings: str) -> Server:
    """A server of `index` on a free port, or on `port`; its journal in `folder`; `settings` as FOOTNOTE_… variables."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        "FOOTNOTE_INDEX": str(index),
        "FOOTNOTE_JOURNAL": str(folder / "journal.sqlite"),
        "FOOTNOTE_KEYS": str(folder / "keys.sqlite"),
        "FOOTNOTE_MODELS": str(ROOT / "var" / "models"),
        **settings,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "web", "serve", "--host", "127.0.0.1", "--port", str(port)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    for line in process.stdout:
        if " at http://" in line:
            return Server(line.split()[-1], process)
    raise RuntimeError(f"the server did not start: exit code {process.wait()}")


@pytest.fixture(scope="session")
def index() -> Path:
    """The index that `make browser` has brought up to date."""
    index = Path(os.environ.get("FOOTNOTE_INDEX", ROOT / "var" / "index")).absolute()
    if not (index / "CURRENT").exists():
        pytest.fail(f"{index} holds no index: make ingest")
    return index


@pytest.fixture(scope="session")
def server(index: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The bundled KB, served by a process of its own; shared by all tests, so none may harm it."""
    server = start_server(index, tmp_path_factory.mktemp("served"))
    yield server
    server.stop()
    assert server.process.stdout
    server.process.stdout.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not shutil.which(CHROMIUM):
        pytest.fail(f"{CHROMIUM} is not there: apt-get install chromium, or set CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        yield browser
        browser.close()


@dataclass
class Watch:
    """What must not happen on any page. A test that provokes one of these says so in `allowed`."""

    origin: str
    seen: list[str] = field(default_factory=list)
    allowed: tuple[str, ...] = ()

    def on(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.seen.append(f"uncaught: {error}"))
        page.on("request", lambda request: self._request(request.url))
        page.on("dialog", self._dialog)

    def _dialog(self, dialog: Dialog) -> None:
        self.seen.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.seen.append(f"{message.type}: {message.text}")

    def _request(self, url: str) -> None:
        if not url.startswith((f"{self.origin}/", "data:", "blob:", "about:")):
            self.seen.append(f"off-origin request: {url}")

    def check(self) -> None:
        wrong = [line for line in self.seen if not any(part in line for part in self.allowed)]
        assert wrong == []


@pytest.fixture
def watch(server: Server) -> Iterator[Watch]:
    watch = Watch(server.url)
    yield watch
    watch.check()


@pytest.fixture
def open_page(chromium: Browser, server: Server, watch: Watch) -> Iterator[OpenPage]:
    """Opens pages in contexts of their own: `open_page(**LOOKS["dark"])`, `open_page(java_script_enabled=False)`."""
    contexts = []

    def open(**options: Any) -> Page:
        context = chromium.new_context(**{"base_url": server.url, "viewport": WIDE, **options})
        context.set_default_timeout(_DEADLINE)
        contexts.append(context)
        page = context.new_page()
        watch.on(page)
        return page

    yield open
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """A page in a wide, light window."""
    return open_page(**LOOKS["light"])


@pytest.fixture
def plain_page(open_page: OpenPage) -> Page:
    """A page without JavaScript."""
    return open_page(java_script_enabled=False)


@pytest.fixture(params=LOOKS)
def looked_at(request: pytest.FixtureRequest, open_page: OpenPage) -> Page:
    """The same page in every look: light, dark, 320 px, 200 % zoom."""
    return open_page(**LOOKS[request.param])


def assert_accessible(page: Page) -> None:
    """No violation that axe-core knows of, and nothing sticks out at the side."""
    violations = Axe().run(page).response["violations"]
    assert [f"{v['id']}: {[node['html'][:160] for node in v['nodes'][:4]]}" for v in violations] == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "the page scrolls sideways"
