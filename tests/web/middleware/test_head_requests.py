"""HEAD is answered like GET, without the content, wherever there is a GET: link checkers and monitors ask like that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from tests.conftest import Site
from tests.web.live_servers import served
from web.access.keys import Keys
from web.access.policy import ASKER, Policy
from web.access.rates import Rates
from web.access.rules import AccessRules
from web.access.sqlite_keys import SqliteKeyStore
from web.admission import WorkSlots
from web.app import create_app
from web.observing.recording import Finished

PATHS = [
    "/livez",
    "/readyz",
    "/metrics",
    "/openapi.json",
    "/static/base.js",
    "/widget.js",
    "/",
    "/browse",
    "/docs",
    "/sign-in",
    "/insights",
    "/insights/gaps.csv",
    "/insights/inspect",
    "/articles/tokens",
    "/articles/tokens.md",
    "/articles/gone",
    "/llms.txt",
    "/api/v1/articles",
    "/api/v1/articles/tokens",
    "/api/v1/articles/gone",
    "/api/v1/tags",
    "/api/v1/search?q=token",
    "/api/v1/conversations/gone",
    "/v1/models",
    "/nowhere",
]


class Heard:
    """A recorder that remembers."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, int]] = []

    def finished(self, request: Finished) -> None:
        self.requests.append((request.method, request.route, request.status))


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def line(tiny_site: Site, heard: Heard) -> Iterator[httpx2.Client]:
    """One connection to the tiny site: content where none is expected would be taken for the next answer."""
    services, limits = tiny_site.services, httpx2.Limits(max_connections=1)
    app = create_app(services, 262_144, WorkSlots(2, 64), ["https://w.example"], recorders=[heard])
    with served(app) as address, httpx2.Client(base_url=address, limits=limits) as client:
        yield client


def test_head_gets_the_header_of_get_and_no_content(line: httpx2.Client) -> None:
    for path in PATHS:
        head, get = line.head(path), line.get(path)
        assert (head.status_code, head.content) == (get.status_code, b""), path
        assert fields(head) == fields(get), path
        assert get.content or path == "/metrics", path  # which has nothing to tell here
    page = line.get("/articles/tokens")
    assert line.head("/articles/tokens").headers["content-length"] == str(len(page.content))
    assert line.head("/articles/tokens", headers={"if-none-match": page.headers["etag"]}).status_code == 304


def fields(response: httpx2.Response) -> dict[str, str]:
    """The header fields of which two answers to the same request have the same."""
    same = {name: value for name, value in response.headers.items() if name not in ("date", "x-request-id")}
    if response.url.path in ("/metrics", "/api/v1/search"):  # each answer has other figures in it
        same["content-length"] = "some" if "content-length" in same else "none"
    return same


def test_the_log_and_the_metrics_say_head(line: httpx2.Client, heard: Heard) -> None:
    line.head("/api/v1/articles/tokens")
    line.head("/nowhere")
    assert heard.requests == [("HEAD", "/api/v1/articles/{article_id}", 200), ("HEAD", "other", 404)]


@pytest.mark.parametrize("path", ["/api/v1/ask", "/api/v1/ask/stream", "/mcp", "/sign-out"])
def test_where_there_is_no_get_there_is_no_head(line: httpx2.Client, path: str) -> None:
    response = line.head(path)
    assert (response.status_code, response.headers["allow"]) == (405, "POST")


def test_what_refuses_a_method_names_head_beside_get(line: httpx2.Client) -> None:
    assert line.delete("/browse").headers["allow"] == "GET, HEAD"
    assert line.delete("/articles/tokens").headers["allow"] == "GET, HEAD, POST"
    assert line.delete("/static/base.js").headers["allow"] == "GET, HEAD"


def test_a_search_by_head_counts_as_a_question_as_one_by_get_does(tiny_site: Site, tmp_path: Path) -> None:
    access_rules = AccessRules(
        Policy(trust_local=False, anybody=ASKER), Keys(SqliteKeyStore(tmp_path / "keys.sqlite")), Rates(ask="2/hour")
    )
    services = replace(tiny_site.services, access_rules=access_rules)
    with served(create_app(services, 262_144, WorkSlots(2, 64))) as address:
        search = f"{address}/api/v1/search?q=token"
        said = [httpx2.head(search), httpx2.get(search), httpx2.head(search)]
    access_rules.keys.close()
    assert [response.status_code for response in said] == [200, 200, 429]
    assert said[2].headers["retry-after"]


def test_who_only_asks_for_the_header_of_an_article_has_not_read_it(line: httpx2.Client, tiny_site: Site) -> None:
    browser, before = {"user-agent": "Mozilla/5.0 of nobody else"}, tiny_site.services.views.of("tokens")
    line.head("/articles/tokens", headers=browser)
    assert tiny_site.services.views.of("tokens") == before
    line.get("/articles/tokens", headers=browser)
    assert tiny_site.services.views.of("tokens") == before + 1


def test_the_openapi_document_has_no_operation_for_head(line: httpx2.Client) -> None:
    paths = line.get("/openapi.json").json()["paths"]
    assert [path for path, methods in paths.items() if "head" in methods] == []
