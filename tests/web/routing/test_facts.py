"""What routes declare: that they do, that it is found before routing, and that it is enforced."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi import APIRouter
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.conftest import Site
from web.admission import WorkSlots
from web.app import create_app
from web.routing.facts import Credentials, ErrorShape, PrincipalDep, RouteFacts, declare, declared
from web.routing.table import RouteTable


def routes_of(router: APIRouter) -> list[Route | Mount]:
    return [route for route in router.routes if isinstance(route, Route | Mount)]


def test_a_route_that_declares_nothing_is_refused_when_the_application_is_made() -> None:
    router = APIRouter()
    router.add_api_route("/silent", lambda: None)
    with pytest.raises(ValueError, match="/silent declares nothing"):
        RouteTable.of(routes_of(router), {})
    with pytest.raises(ValueError, match="/files declares nothing"):
        RouteTable.of([Mount("/files", Starlette())], {"/other": RouteFacts()})


def test_a_scope_that_nothing_would_enforce_is_refused() -> None:
    router = APIRouter()

    @router.get("/open")
    @declare("read")
    def open_to_all() -> None:
        """Takes no principal."""

    with pytest.raises(ValueError, match="/open needs a scope and takes no PrincipalDep"):
        RouteTable.of(routes_of(router), {})


def test_a_principal_whose_scopes_nobody_declares_is_refused() -> None:
    router = APIRouter()

    @router.get("/unsaid")
    @declare()
    def unsaid(principal: PrincipalDep) -> None:
        """Takes one all the same."""

    with pytest.raises(ValueError, match="/unsaid needs a scope"):
        RouteTable.of(routes_of(router), {})


def test_errors_under_one_first_segment_have_one_shape() -> None:
    router = APIRouter()
    for path, shape in (("/api/a", "problem"), ("/api/b", "page")):
        router.add_api_route(path, _endpoint(shape))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="one shape"):
        RouteTable.of(routes_of(router), {})


def _endpoint(shape: ErrorShape) -> object:
    def endpoint() -> None:
        """Does nothing."""

    return declare(errors=shape)(endpoint)


@pytest.mark.parametrize(
    ("path", "errors", "credentials", "turn"),
    [
        ("/nothing", "page", "checked", True),
        ("/api/nothing", "problem", "checked", True),
        ("/v1/nothing", "openai", "checked", True),
        ("/slack/nothing", "problem", "ignored", False),
        ("/static/nothing", "page", "ignored", False),
        ("/metrics/nothing", "problem", "checked", False),
        ("/livezz", "page", "checked", True),
    ],
)
def test_what_is_no_route_is_told_like_the_routes_beside_it(
    tiny_site: Site, path: str, errors: ErrorShape, credentials: Credentials, turn: bool
) -> None:
    table: RouteTable = tiny_site.client.app.state.routes  # type: ignore[attr-defined]
    facts = table.find("GET", path)
    assert (facts.errors, facts.credentials, facts.takes_turn) == (errors, credentials, turn)
    assert (facts.scopes, facts.rate, facts.widgets) == ((), "read", False)


def addresses(table: RouteTable) -> Iterator[tuple[str, str]]:
    """An address of each route, and one with slashes in its parameter where it may have them."""
    for route in table.routes:
        for method in sorted(route.methods):
            yield method, re.sub(r"{\w+(:path)?}", "x", route.path)
            yield method, re.sub(r"{\w+:path}", "x/y", route.path)


def test_a_newline_at_the_end_of_a_path_changes_no_facts(tiny_site: Site) -> None:
    """Starlette's patterns end in `$`, which passes over it, so the request reaches the same endpoint."""
    table: RouteTable = tiny_site.client.app.state.routes  # type: ignore[attr-defined]
    for method, path in (("POST", "/sign-in"), ("POST", "/api/v1/ask"), ("GET", "/api/v1/search")):
        assert table.find(method, f"{path}\n") == table.find(method, path)


def test_what_is_looked_up_is_what_the_endpoint_that_is_reached_declares(tiny_site: Site) -> None:
    app = create_app(tiny_site.services, 262_144, WorkSlots(2, 64), ["https://wiki.example"])
    reached: list[tuple[RouteFacts, object]] = []

    def noting(inner: ASGIApp) -> ASGIApp:
        async def noted(scope: Scope, receive: Receive, send: Send) -> None:
            await inner(scope, receive, send)
            if scope["type"] == "http" and "endpoint" in scope:
                reached.append((scope["facts"], scope["endpoint"]))

        return noted

    app.add_middleware(noting)
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        for method, path in addresses(app.state.routes):
            client.request(method, path)
    compared = [(facts, declared(endpoint)) for facts, endpoint in reached if declared(endpoint)]
    assert len(compared) > 30
    for looked_up, own in compared:
        assert own is not None
        assert (looked_up.scopes, looked_up.cost, looked_up.errors) == (own.scopes, own.cost, own.errors)
        assert (looked_up.credentials, looked_up.widgets) == (own.credentials, own.widgets)


def test_an_endpoint_keeps_its_own_name_and_its_facts() -> None:
    def endpoint() -> Response:
        """Answers."""
        return Response()

    assert declare("read", "ask", cost="answers", widgets=True)(endpoint) is endpoint
    assert declared(endpoint) == RouteFacts(("read", "ask"), "answers", widgets=True)
