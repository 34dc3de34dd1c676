"""A website on loopback, as small as a dictionary."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Reply:
    """What a path is answered with. `etag` makes it conditional; `seconds` is how long the answer takes."""

    body: bytes | str = b""
    status: int = 200
    kind: str = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    etag: str = ""
    seconds: float = 0.0


@dataclass
class ServedSite:
    """`pages` may change while it is served; `asked` lists (path, status) of every request in order."""

    url: str = ""
    pages: dict[str, Reply] = field(default_factory=dict)
    asked: list[tuple[str, int]] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]


def page(title: str, *links: str, head: str = "") -> Reply:
    anchors = "".join(f'<a href="{link}">{link}</a> ' for link in links)
    return Reply(
        f"<html><head><title>{title} | Acme</title>{head}</head><body><nav>{anchors}</nav><main><h1>{title}</h1>"
        f"<p>This page explains {title.lower()} in one whole sentence.</p></main></body></html>"
    )


@contextlib.contextmanager
def serving(pages: dict[str, Reply]) -> Iterator[ServedSite]:
    site = ServedSite(pages=pages)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.agents.add(self.headers["User-Agent"])
            reply = site.pages.get(self.path, Reply("Not here.", 404))
            time.sleep(reply.seconds)
            fresh = bool(reply.etag) and self.headers["If-None-Match"] == reply.etag
            status = 304 if fresh else reply.status
            site.asked.append((self.path, status))
            body = b"" if fresh else reply.body.encode() if isinstance(reply.body, str) else reply.body
            self.send_response(status)
            headers = {"Content-Type": reply.kind, "Content-Length": str(len(body)), **reply.headers}
            for name, value in (headers | ({"ETag": reply.etag} if reply.etag else {})).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """The tests look at `asked`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
