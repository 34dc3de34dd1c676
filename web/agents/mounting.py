"""Mounts the tool server at /mcp, over streamable HTTP and without sessions."""

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
from web.agents.tools import Caller, Tools, agent_tools
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
    """An ASGI endpoint. The protocol's library, slow to import, is loaded at the first request."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._own_host = urlsplit(services.access_rules.own).netloc  # "" if FOOTNOTE_PUBLIC_URL is not set
        self._starting: asyncio.Task[StreamableHTTPSessionManager] | None = None
        self._running: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Ends the tasks that requests have started when the context closes."""
        yield
        for task in (self._starting, self._running):
            if task:
                task.cancel()
                await asyncio.wait([task])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        await self._admit(request)
        self._starting = self._starting or asyncio.create_task(self._start())
        manager = await asyncio.shield(self._starting)  # a client that leaves must not cancel it
        await manager.asgi_app(scope, receive, send)

    async def _admit(self, request: Request) -> None:
        """Refuses callers without a scope for any tool, and pages of other sites. Raises HTTPException."""
        require(principal_of(request), FACTS.scopes)
        visitor: Visitor = request.scope["visitor"]
        host, origin = request.headers.get("host", ""), request.headers.get("origin")
        # A page whose name was pointed here (DNS rebinding) sends its own name as the host, and has no key.
        if visitor.proof == "nothing" and not (host and host == self._own_host) and not is_here(name_of(host)):
            raise HTTPException(421, _ELSEWHERE)
        if origin is not None and host_of(origin) not in (host, self._own_host):
            raise HTTPException(403, "Pages of other sites may not use this.")

    async def _start(self) -> StreamableHTTPSessionManager:
        manager, ready = await run_in_threadpool(self._build), asyncio.Event()
        self._running = asyncio.create_task(_run(manager, ready))
        await ready.wait()
        return manager

    def _build(self) -> StreamableHTTPSessionManager:
        services = self._services
        tools = Tools(services.store, services.answerer, services.links, services.conversations)
        server = import_module("web.agents.server").tool_server(agent_tools(tools), _caller, services.drain)
        library = import_module("mcp.server.streamable_http_manager")
        manager: StreamableHTTPSessionManager = library.StreamableHTTPSessionManager(
            server, json_response=True, stateless=True
        )
        return manager


async def _run(manager: StreamableHTTPSessionManager, ready: asyncio.Event) -> None:
    """Runs the manager in one task, as its task group must be closed by the task that opened it."""
    async with manager.run():
        ready.set()
        await asyncio.Event().wait()


def _caller(context: Any) -> Caller:
    """The sender of the HTTP request that a call came with."""
    request: Request = context.request
    principal = principal_of(request)
    return Caller(principal.viewer, principal.scopes, principal.id, str(request.base_url))
