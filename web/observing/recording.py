"""Records each finished request: id, route, status and duration; nothing of its content."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "x-request-id"
OTHER = "other"  # an unknown path or method, or a request refused before routing
LEFT = 499  # in place of a status: the client left before there was one (nginx's convention)

_WELL_FORMED = re.compile(r"[A-Za-z0-9._~+/=:-]{1,64}")
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"))
_NOTES = "footnote.notes"

_request_id: ContextVar[str] = ContextVar("request_id", default="")


def request_id() -> str:
    """The id of the request being answered, in its threads too; empty outside one."""
    return _request_id.get()


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished request. `route` is the template of its path, so that there are few of them."""

    method: str
    route: str
    status: int
    seconds: float
    principal: str  # the id of the sender, "" if unknown


class Recorder(Protocol):
    """Receives each finished request, on the event loop: it must be quick."""

    def finished(self, request: Finished) -> None: ...


@dataclass(slots=True)
class Notes:
    """What is known of a request so far."""

    id: str
    method: str
    route: str = OTHER
    principal: str = ""
    status: int = LEFT


class Recording:
    """ASGI middleware, inside `RouteLookup` and `EarlyRefusal` alone: gives a request its id and informs the recorders.

    An id that the client or a proxy has given is kept if it is well-formed.
    """

    def __init__(self, app: ASGIApp, recorders: Sequence[Recorder]) -> None:
        self._app = app
        self._recorders = recorders

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, id = time.perf_counter(), _id(scope)
        notes = Notes(id, scope["method"] if scope["method"] in _METHODS else OTHER)
        scope[_NOTES] = notes
        reset_token = _request_id.set(id)

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                notes.status = message["status"]
                MutableHeaders(scope=message)[HEADER] = id
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            took = time.perf_counter() - started
            finished = Finished(notes.method, notes.route, notes.status, took, notes.principal)
            for recorder in self._recorders:
                recorder.finished(finished)
            _request_id.reset(reset_token)


class Reached:
    """ASGI middleware, the innermost: notes the route and sender of a request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        finally:
            if notes := scope.get(_NOTES):
                notes.route = _template(scope)
                notes.principal = _principal(scope)


def notes_of(scope: Scope) -> Notes:
    """The notes that `Recording` keeps on a request."""
    notes: Notes = scope[_NOTES]
    return notes


def _id(scope: Scope) -> str:
    sent = Headers(scope=scope).get(HEADER, "")
    return sent if _WELL_FORMED.fullmatch(sent) else uuid.uuid4().hex


def _template(scope: Scope) -> str:
    route: Any = scope.get("route")
    if route is not None:
        return str(route.path_format)
    # A mounted app counts as one route.
    mounted = str(scope["root_path"]).removeprefix(scope.get("app_root_path", ""))
    # Plain Starlette routes leave only an endpoint; /mcp is the only one, with a fixed path.
    return mounted or (scope["path"] if "endpoint" in scope and not scope["path_params"] else OTHER)


def _principal(scope: Scope) -> str:
    visitor: Any = scope.get("visitor")
    return str(visitor.principal.id) if visitor else ""
