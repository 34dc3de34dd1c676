"""The server of tools at /mcp, over streamable HTTP. Every request stands for itself: there are no sessions to keep."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fastapi.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from web.access.forgery import host_of
from web.access.policy import Visitor, is_here, name_of
from web.access.principals import principal_of, require
from web.agents.tools import Caller, Tools, offered
from web.routing.facts import RouteFacts
from web.services import Services

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

FACTS = RouteFacts(("ask", "read"), cost="answers", errors="problem")
_ELSEWHERE = (
    "Whoever sends no key is answered under localhost, 127.0.0.1 and the name in FOOTNOTE_PUBLIC_URL alone: set that "
    "on the server, or send a key."
)


class Agents:
    """An ASGI endpoint. The library of the protocol is loaded for the first request: nobody else need wait for it."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._own = urlsplit(services.access_rules.own).netloc  # "" where it is not known
        self._starting: asyncio.Task[StreamableHTTPSessionManager] | None = None
        self._running: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """What is begun for requests meanwhile ends with it."""
        yield
        for task in (self._starting, self._running):
            if task:
                task.cancel()
                await asyncio.wait([task])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        await self._admit(request)
        self._starting = self._starting or asyncio.create_task(self._start())
        manager = await asyncio.shield(self._starting)  # whoever leaves meanwhile does not stop it for the others
        await manager.asgi_app(scope, receive, send)

    async def _admit(self, request: Request) -> None:
        """Refuses whoever may use none of the tools, and pages of other sites. Raises HTTPException."""
        require(principal_of(request), FACTS.scopes)
        visitor: Visitor = request.scope["visitor"]
        host, origin = request.headers.get("host", ""), request.headers.get("origin")
        # A page whose name was made to point here (DNS rebinding) names itself as the host, and has no key.
        if visitor.proof == "nothing" and not (host and host == self._own) and not is_here(name_of(host)):
            raise HTTPException(421, _ELSEWHERE)
        if origin is not None and host_of(origin) not in (host, self._own):
            raise HTTPException(403, "Pages of other sites may not use this.")

    async def _start(self) -> StreamableHTTPSessionManager:
        manager, ready = await run_in_threadpool(self._build), asyncio.Event()
        self._running = asyncio.create_task(_run(manager, ready))
        await ready.wait()
        return manager

    def _build(self) -> StreamableHTTPSessionManager:
        services = self._services
        tools = Tools(services.store, services.answerer, services.links, services.conversations)
        server = import_module("web.agents.server").serving(offered(tools), _caller, services.drain)
        library = import_module("mcp.server.streamable_http_manager")
        manager: StreamableHTTPSessionManager = library.StreamableHTTPSessionManager(
            server, json_response=True, stateless=True
        )
        return manager


async def _run(manager: StreamableHTTPSessionManager, ready: asyncio.Event) -> None:
    """In a task of its own: what the library begins must end where it began."""
    async with manager.run():
        ready.set()
        await asyncio.Event().wait()


def _caller(context: Any) -> Caller:
    """Who sent the HTTP request that a call came with."""
    request: Request = context.request
    principal = principal_of(request)
    return Caller(principal.viewer, principal.scopes, principal.id, str(request.base_url))
