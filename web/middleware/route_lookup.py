"""Looks up what the route of a request has declared, for all that comes before routing."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from web.routing.table import RouteTable


class RouteLookup:
    """ASGI middleware, the outermost: `web.routing.facts.facts_of` tells the others what it found."""

    def __init__(self, app: ASGIApp, routes: RouteTable) -> None:
        self._app = app
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["facts"] = self._routes.find(scope["method"], scope["path"])
        await self._app(scope, receive, send)
