"""Every route, and what each kind of caller gets of it. A route that is not in the table fails the test.

Who adds a route adds a row: what a caller needs, an example that works, and the status it then has. `{conversation}`
and `{answer}` in an example are those of a conversation that "user" has just held.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Literal, TypeAlias

import pytest
from fastapi import APIRouter, FastAPI
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.testclient import TestClient

from indexes.models.embedding import Embedder
from qa.types import Question
from tests.conftest import Site, make_services
from web.access.keys import Keys, Scope
from web.access.policy import ASKER, Policy
from web.access.principals import SCOPES
from web.access.rates import Rates
from web.access.rules import AccessRules
from web.admission import WorkSlots
from web.app import create_app
from web.routing.table import DeclaredRoute, RouteTable
from web.services import Services

Need: TypeAlias = Scope | Literal["nothing"]
ORIGIN = "https://widgets.example"


@dataclass(frozen=True)
class Row:
    """`ok`: the status for whoever may; `other`: for another user who may, but whose conversation it is not.

    `or_else`: another scope that will do.
    """

    need: Need
    url: str
    ok: int = 200
    other: int = 0
    body: Mapping[str, Any] = field(default_factory=dict)  # sent as JSON, or as a form by routes that take one
    form: bool = False
    or_else: Scope | None = None


ASKED = {"question": "How long does an access token live?"}
TABLE: dict[tuple[str, str], Row] = {
    ("GET", "/livez"): Row("nothing", "/livez"),
    ("GET", "/readyz"): Row("nothing", "/readyz"),
    ("GET", "/widget.js"): Row("nothing", "/widget.js"),
    ("*", "/static"): Row("nothing", "/static/base.js"),
    ("GET", "/openapi.json"): Row("nothing", "/openapi.json"),
    ("GET", "/sign-in"): Row("nothing", "/sign-in"),
    ("POST", "/sign-in"): Row("nothing", "/sign-in", 401, form=True, body={"key": "wrong"}),
    ("POST", "/sign-out"): Row("nothing", "/sign-out", 303, form=True),
    # No caller of these tables is Slack, which signs what it sends (tests/slack), and here it is not set up.
    ("GET", "/slack/commands"): Row("nothing", "/slack/commands", 404),
    ("POST", "/slack/commands"): Row("nothing", "/slack/commands", 404),
    ("POST", "/slack/events"): Row("nothing", "/slack/events", 404),
    ("POST", "/slack/interactions"): Row("nothing", "/slack/interactions", 404),
    ("GET", "/"): Row("read", "/"),
    ("GET", "/browse"): Row("read", "/browse"),
    ("GET", "/docs"): Row("read", "/docs"),
    ("GET", "/llms.txt"): Row("read", "/llms.txt"),
    ("GET", "/articles/{article_id:path}"): Row("read", "/articles/tokens"),
    ("GET", "/answers/{answer_id}"): Row("read", "/answers/{answer}"),
    ("GET", "/answers/{answer_id}.md"): Row("read", "/answers/{answer}.md"),
    ("GET", "/api/v1/status"): Row("read", "/api/v1/status"),
    ("GET", "/api/v1/search"): Row("read", "/api/v1/search?q=token"),
    ("GET", "/api/v1/tags"): Row("read", "/api/v1/tags"),
    ("GET", "/api/v1/articles"): Row("read", "/api/v1/articles"),
    ("GET", "/api/v1/articles/{article_id:path}"): Row("read", "/api/v1/articles/tokens"),
    ("GET", "/api/v1/articles/{article_id:path}/related"): Row("read", "/api/v1/articles/tokens/related"),
    ("POST", "/mcp"): Row("read", "/mcp", body={"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, or_else="ask"),
    ("GET", "/v1/models"): Row("read", "/v1/models", or_else="ask"),
    ("GET", "/v1/models/{model:path}"): Row("read", "/v1/models/footnote:auth", or_else="ask"),
    ("POST", "/v1/chat/completions"): Row(
        "ask",
        "/v1/chat/completions",
        body={"model": "footnote", "messages": [{"role": "user", "content": ASKED["question"]}]},
    ),
    ("POST", "/"): Row("ask", "/", 303, form=True, body=ASKED),
    ("POST", "/api/v1/ask"): Row("ask", "/api/v1/ask", body=ASKED),
    ("POST", "/api/v1/ask/stream"): Row("ask", "/api/v1/ask/stream", body=ASKED),
    ("GET", "/conversations/{conversation_id}"): Row("ask", "/conversations/{conversation}", other=404),
    ("GET", "/conversations/{conversation_id}.md"): Row("ask", "/conversations/{conversation}.md", other=404),
    ("POST", "/conversations/{conversation_id}/delete"): Row(
        "ask", "/conversations/{conversation}/delete", 303, other=404, form=True
    ),
    ("GET", "/api/v1/conversations/{conversation_id}"): Row("ask", "/api/v1/conversations/{conversation}", other=404),
    ("DELETE", "/api/v1/conversations/{conversation_id}"): Row(
        "ask", "/api/v1/conversations/{conversation}", 204, other=404
    ),
    ("POST", "/api/v1/feedback"): Row(
        "feedback", "/api/v1/feedback", other=404, body={"answer_id": "{answer}", "helpful": True}
    ),
    ("POST", "/answers/{answer_id}/feedback"): Row(
        "feedback", "/answers/{answer}/feedback", 303, other=404, form=True, body={"helpful": "1"}
    ),
    ("POST", "/articles/{article_id:path}"): Row(
        "feedback", "/articles/tokens", 303, form=True, body={"helpful": "yes"}
    ),
    ("GET", "/metrics"): Row("admin", "/metrics"),
    ("GET", "/insights"): Row("admin", "/insights"),
    ("GET", "/insights/gaps.csv"): Row("admin", "/insights/gaps.csv"),
    ("GET", "/insights/inspect"): Row("admin", "/insights/inspect?q=token"),
}


@dataclass(frozen=True)
class Closed:
    """The tiny site as others reach it: nobody gets in without a key. `user` is who held the conversations."""

    client: TestClient
    services: Services
    keys: Keys
    user: str
    user_id: str

    def key(self, *scopes: Scope) -> str:
        return self.keys.create("x", scopes)[1]

    def revoked(self) -> str:
        key, presented = self.keys.create("x", tuple(SCOPES))
        self.keys.revoke(key.id)
        return presented

    def expired(self) -> str:
        return self.keys.create("x", tuple(SCOPES), lasting=timedelta(microseconds=1))[1]

    def conversation(self) -> dict[str, str]:
        held = self.services.conversations.ask(Question(ASKED["question"]), owner=f"key:{self.user_id}")
        return {"{conversation}": held.conversation_id, "{answer}": held.answer.answer_id}


@pytest.fixture(scope="module")
def closed(tiny_site: Site, embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Closed]:
    folder = tmp_path_factory.mktemp("closed")
    with make_services(tiny_site.index, embedder, folder) as made:
        keys = made.access_rules.keys
        services = replace(made, access_rules=AccessRules(Policy(trust_local=True), keys, Rates()))
        app = create_app(services, 262_144, WorkSlots(2, 64), [ORIGIN])
        user, presented = keys.create("user", tuple(ASKER))
        with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
            yield Closed(client, services, keys, presented, user.id)


def routes_of(routes: list[BaseRoute], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every method and path, those of included routers and mounted applications too."""
    for route in routes:
        if hasattr(route, "original_router") and hasattr(route, "include_context"):  # FastAPI's include_router
            yield from routes_of(route.original_router.routes, prefix + route.include_context.prefix)
        elif isinstance(route, Mount):
            yield "*", prefix + route.path
        else:
            assert isinstance(route, Route), f"{route!r} is of a kind that this test does not know yet"
            yield from ((method, prefix + route.path) for method in (route.methods or {"*"}) - {"HEAD"})


def test_every_route_is_in_the_table_and_the_table_holds_no_others(closed: Closed) -> None:
    there = set(routes_of(closed.client.app.routes))  # type: ignore[attr-defined]
    missing, gone = sorted(there - set(TABLE)), sorted(set(TABLE) - there)
    assert not missing, f"add a row for {missing} to TABLE in tests/web/access/test_access_table.py: who may call it?"
    assert not gone, f"remove {gone} from TABLE: there are no such routes"


def test_a_route_is_found_wherever_it_is_hidden() -> None:
    inner, outer, app = (
        APIRouter(prefix="/inner"),
        APIRouter(),
        FastAPI(openapi_url=None, docs_url=None, redoc_url=None),
    )
    inner.add_api_route("/deep", lambda: None, methods=["PUT"], include_in_schema=False)
    outer.include_router(inner, prefix="/outer")
    app.include_router(outer, prefix="/api")
    app.mount("/mounted", FastAPI())
    app.add_route("/plain", lambda request: Response(), methods=["POST"])
    assert set(routes_of(app.routes)) == {("PUT", "/api/outer/inner/deep"), ("*", "/mounted"), ("POST", "/plain")}


def test_every_route_declares_the_scopes_that_the_table_says(closed: Closed) -> None:
    declared = {(method, route.path): set(route.facts.scopes) for route, method in declarations(closed)}
    needed = {key: {row.need, row.or_else} - {"nothing", None} for key, row in TABLE.items()}
    assert declared == needed


def test_what_answers_a_question_is_limited_as_a_question(closed: Closed) -> None:
    rates = {(method, route.path): route.facts.rate for route, method in declarations(closed)}
    answering = [key for key, row in TABLE.items() if row.need == "ask" and "{" not in key[1]]
    assert len(answering) > 3
    assert {rates[key] for key in answering} == {"ask"}


def declarations(closed: Closed) -> Iterator[tuple[DeclaredRoute, str]]:
    table: RouteTable = closed.client.app.state.routes  # type: ignore[attr-defined]
    for route in table.routes:
        yield from ((route, method) for method in (route.methods or {"*"}) - {"HEAD"})


UNPROVEN = ("anonymous", "revoked", "expired", "unknown key", "dead session")
CALLERS = (*UNPROVEN, "wrong scope", "user", "session", "other user", "admin")


def expected(row: Row, caller: str) -> int:
    if row.need == "nothing":
        return row.ok
    if caller in UNPROVEN:
        return 401
    if caller == "wrong scope" or (row.need == "admin" and caller != "admin"):
        return 403
    return row.other or row.ok if caller in ("other user", "admin") else row.ok


def proof(closed: Closed, row: Row, caller: str) -> dict[str, str]:
    """The headers by which a caller proves who they are."""
    match caller:
        case "anonymous":
            return {}
        case "session" | "dead session":
            token = closed.keys.sign_in(closed.user)[0] if caller == "session" else "of long ago"
            return {"cookie": f"__Host-footnote={token}", "origin": "http://testserver"}
        case "user":
            key = closed.user
        case "other user":
            key = closed.key(*ASKER)
        case "admin":
            key = closed.key(*SCOPES)
        case "wrong scope":
            key = closed.key(*(scope for scope in SCOPES if scope not in (row.need, row.or_else)))
        case "revoked":
            key = closed.revoked()
        case "expired":
            key = closed.expired()
        case _:
            key = f"fn_{'0' * 12}_{'0' * 64}"
    return {"authorization": f"Bearer {key}"}


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize(("method", "path"), sorted(TABLE), ids=lambda value: value)
def test_each_caller_gets_what_is_theirs(closed: Closed, method: str, path: str, caller: str) -> None:
    row = TABLE[method, path]
    url, body = row.url, dict(row.body)
    if "{" in f"{url}{[*body.values()]}":
        for place, id in closed.conversation().items():
            url = url.replace(place, id)
            body = {name: id if value == place else value for name, value in body.items()}
    sent: dict[str, Any] = {"data" if row.form else "json": body} if method == "POST" else {}
    response = closed.client.request(
        "GET" if method == "*" else method, url, headers=proof(closed, row, caller), **sent
    )
    assert response.status_code == expected(row, caller), response.text[:500]
    if row.need != "nothing" and response.status_code in (401, 403):
        assert response.headers["www-authenticate"].startswith("Bearer ")
        kind = "application/json" if path.startswith("/v1/") else "application/problem+json"
        assert response.headers["content-type"] == kind
        assert "An access token lives" not in response.text


@pytest.mark.parametrize("caller", CALLERS)
def test_each_caller_gets_by_head_what_they_would_get_by_get(closed: Closed, caller: str) -> None:
    ids = closed.conversation()
    for (method, path), row in TABLE.items():
        if method in ("GET", "*"):
            url = row.url
            for place, id in ids.items():
                url = url.replace(place, id)
            response = closed.client.head(url, headers=proof(closed, row, caller))
            assert (response.status_code, response.content) == (expected(row, caller), b""), path
