"""The headers that every response carries, whatever it is and whoever asks."""

from __future__ import annotations

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from tests.conftest import Site
from tests.web.access.test_access_table import TABLE, Closed, closed, proof
from web.admission import WorkSlots
from web.app import create_app
from web.middleware.headers import HEADERS

__all__ = ["closed"]  # the fixture

PAGES = {"accept": "text/html"}


def carries_all(response: Response) -> bool:
    return response.headers.items() >= HEADERS.items() and bool(response.headers["x-request-id"])


def test_the_headers_are_those_that_are_promised() -> None:
    policy = dict(part.split(" ", 1) for part in HEADERS["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "img-src", "connect-src", "form-action")} == {"'self'"}
    assert HEADERS["x-content-type-options"] == "nosniff"
    assert HEADERS["cross-origin-opener-policy"] == "same-origin"
    assert HEADERS["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("caller", ["anonymous", "wrong scope", "admin"])
@pytest.mark.parametrize(("method", "path"), list(TABLE), ids=lambda value: str(value))
def test_every_route_carries_them(closed: Closed, method: str, path: str, caller: str) -> None:
    row = TABLE[method, path]
    url = row.url
    for name, id in closed.conversation().items():
        url = url.replace(name, id)
    sent = {"data" if row.form else "json": dict(row.body)} if method == "POST" else {}
    for accept in ({}, PAGES):
        headers = {**accept, **proof(closed, row, caller)}
        response = closed.client.request(method.replace("*", "GET"), url, headers=headers, **sent)  # type: ignore[arg-type]
        assert carries_all(response), response.status_code


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("GET", "/nowhere", b"", 404),
        ("GET", "/static/nothing.js", b"", 404),
        ("GET", "/static/../app.py", b"", 404),
        ("DELETE", "/api/v1/ask", b"", 405),
        ("TRACE", "/", b"", 405),
        ("POST", "/api/v1/ask", b"x" * 300_000, 413),
        ("POST", "/api/v1/ask", b"{", 422),
        ("GET", "/articles", b"", 404),
    ],
)
def test_errors_carry_them(tiny_site: Site, method: str, path: str, content: bytes, status: int) -> None:
    for headers in ({}, PAGES):
        response = tiny_site.client.request(method, path, content=content, headers=headers)
        assert response.status_code == status
        assert carries_all(response)


def test_a_stream_a_page_not_changed_and_one_turned_away_carry_them(tiny_site: Site) -> None:
    asked = {"question": "How long does an access token live?"}
    with tiny_site.client.stream("POST", "/api/v1/ask/stream", json=asked) as stream:
        assert carries_all(stream)
    first = tiny_site.client.get("/articles/tokens")
    unchanged = tiny_site.client.get("/articles/tokens", headers={"if-none-match": first.headers["etag"]})
    assert unchanged.status_code == 304
    assert carries_all(unchanged)
    full = TestClient(create_app(tiny_site.services, 262_144, WorkSlots(0, 0)))
    refused = full.post("/api/v1/ask", json=asked)
    assert refused.status_code == 503
    assert carries_all(refused)


def test_an_error_of_ours_carries_them(tiny_site: Site) -> None:
    broken = TestClient(create_app(tiny_site.services, 262_144, WorkSlots(1, 1)), raise_server_exceptions=False)
    broken.app.state.services = None  # type: ignore[attr-defined]
    for headers in ({}, PAGES):
        response = broken.get("/api/v1/status", headers=headers)
        assert response.status_code == 500
        assert carries_all(response)


def test_sites_with_the_widget_may_read_the_id_and_no_other_site_may_read_anything(tiny_site: Site) -> None:
    app = create_app(tiny_site.services, 262_144, WorkSlots(2, 64), ["https://wiki.example"])
    with TestClient(app) as client:
        shown = client.get("/api/v1/tags", headers={"origin": "https://wiki.example"})
        hidden = client.get("/api/v1/tags", headers={"origin": "https://evil.example"})
    assert shown.headers["access-control-allow-origin"] == "https://wiki.example"
    assert "access-control-allow-origin" not in hidden.headers
    assert carries_all(shown)
    assert carries_all(hidden)
