"""Measures speed and size of the pages in a real browser: `python -m benchmarks.pages [--url URL]` (or `make pages`).

Against a running server. Prints medians (with the least and the most) of: the first event of an asked question as the
browser sees it, the largest contentful paint, and the sizes of HTML and scripts as gzip makes them.
"""

from __future__ import annotations

import argparse
import gzip
import statistics
import time
import urllib.request
from collections.abc import Sequence
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, sync_playwright

_STATIC = Path(__file__).parent.parent / "web" / "static"
_QUESTIONS = (
    "How do I rotate refresh tokens?",
    "Which HTTP methods are idempotent?",
    "How do I find and fix an N+1 query?",
    "How long should an access token live?",
    "What is the capital of Mongolia?",
)
_LCP = """() => new Promise((done) => new PerformanceObserver((list) => done(list.getEntries().at(-1).startTime))
  .observe({ type: "largest-contentful-paint", buffered: true }))"""


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    args = parser.parse_args(argv)
    pages = {"/": "empty chat", "/browse": "listing", _article(args.url): "longest article", "/insights": "insights"}
    for path, name in pages.items():
        html = _get(args.url + path)
        print(f"{name:<18} HTML {len(gzip.compress(html, 6)) / 1000:6.1f} kB gzipped ({len(html) / 1000:.0f} kB)")
    scripts = sorted(_STATIC.glob("*.js"))
    together = gzip.compress(b"".join(path.read_bytes() for path in scripts), 6)
    apart = {path.name: len(gzip.compress(path.read_bytes(), 6)) for path in scripts}
    print(f"JavaScript         {len(together) / 1000:.1f} kB gzipped in all; a file: {apart}")
    waits = [_first_event(args.url, question) for _ in range(args.rounds) for question in _QUESTIONS]
    print(f"first event        {_spread(waits)} ms over {len(waits)} questions")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=args.chromium, args=["--headless", "--no-sandbox"])
        for path, name in pages.items():
            paints = [_paint(browser, args.url + path) for _ in range(args.rounds)]
            print(f"{name:<18} largest contentful paint {_spread(paints)} ms")
        browser.close()


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.0f} ({min(values):.0f} to {max(values):.0f})"


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url) as response:
        return bytes(response.read())


def _article(url: str) -> str:
    text = _get(f"{url}/llms.txt").decode()
    paths = [urlsplit(part.split(")")[0]).path.removesuffix(".md") for part in text.split("](")[1:]]
    return max((path for path in paths if path.startswith("/articles/")), key=lambda path: len(_get(url + path)))


def _first_event(url: str, question: str) -> float:
    """Milliseconds from sending to the first event."""
    address = urlsplit(url)
    connection = HTTPConnection(address.hostname or "", address.port)
    body = f'{{"question": "{question}"}}'
    started = time.perf_counter()
    connection.request("POST", "/api/v1/ask/stream?view=true", body, {"content-type": "application/json"})
    connection.getresponse().readline()
    waited = (time.perf_counter() - started) * 1000
    connection.close()
    return waited


def _paint(browser: Browser, url: str) -> float:
    """Milliseconds to the largest contentful paint, nothing cached."""
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    page = context.new_page()
    page.goto(url, wait_until="load")
    paint = float(page.evaluate(_LCP))
    context.close()
    return paint


if __name__ == "__main__":
    main()
