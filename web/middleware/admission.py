"""Admits requests as their turns come (`web.admission`), and refuses the others with 503."""

from __future__ import annotations

import json
import uuid

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.admission import Overloaded, WorkSlot, WorkSlots, hold
from web.middleware.headers import HEADERS
from web.middleware.problems import MEDIA_TYPE, failure
from web.observing import recording
from web.routing.facts import RouteFacts, facts_of

_LATER = {"retry-after": "1"}  # seconds
_API = RouteFacts(errors="problem", documented=True)  # of whatever is refused early
_SOME_ID = "0" * 32  # where the id of a request goes
_BUSY = "More is asked than can be answered at the moment: please try again in a second."


class EarlyRefusal:
    """ASGI middleware, only inside `RouteLookup`: refuses API requests under overload before any work is done for them.

    With all that the other middleware does, refusing three of four requests would take a third of the time there is for
    answers. Here only programs of the API are refused, with a constant body; `WorkSlots` counts them, and none of them
    is logged.
    """

    def __init__(self, app: ASGIApp, slots: WorkSlots) -> None:
        self._app = app
        self._slots = slots
        document = json.loads(bytes(_refusal(Request({"type": "http", "facts": _API, "headers": []})).body))
        refusal = JSONResponse({**document, "request_id": _SOME_ID}, 503, {**HEADERS, **_LATER}, MEDIA_TYPE)
        self._headers, self._body = refusal.raw_headers, bytes(refusal.body)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._refuses(scope):
            await self._app(scope, receive, send)
            return
        self._slots.refuse()
        id = uuid.uuid4().hex.encode()
        headers = [*self._headers, (recording.HEADER.encode(), id)]
        await send({"type": "http.response.start", "status": 503, "headers": headers})
        await send({"type": "http.response.body", "body": self._body.replace(_SOME_ID.encode(), id)})

    def _refuses(self, scope: Scope) -> bool:
        if scope["type"] != "http" or not self._slots.full:
            return False
        facts = facts_of(scope)
        if not (facts.takes_turn and facts.documented and facts.errors == _API.errors):
            return False
        return all(
            name != b"origin" for name, _ in scope["headers"]
        )  # a widget can read a response only with CORS headers, which are added further in


class Admission:
    """ASGI middleware: a request waits for a work slot, unless its route declares that it costs next to nothing."""

    def __init__(self, app: ASGIApp, slots: WorkSlots) -> None:
        self._app = app
        self._slots = slots

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not facts_of(scope).takes_turn:
            await self._app(scope, receive, send)
            return
        if self._slots.full:  # before a byte of the body is read
            self._slots.refuse()
            await _refuse(scope, receive, send)
            return
        replayed = await _whole(receive)  # a turn never waits for a slow sender
        try:
            slot = await self._slots.take()
        except Overloaded:
            await _refuse(scope, replayed, send)
            return
        hold(slot)
        try:
            await self._app(scope, replayed, _until_streaming(slot, send))
        finally:
            slot.give_back()


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    await _refusal(Request(scope))(scope, receive, send)


def _refusal(request: Request) -> Response:
    return failure(request, 503, _BUSY, headers=_LATER)


async def _whole(receive: Receive) -> Receive:
    """Read the body to its end; gives it out again, and then what else the client does."""
    messages = [await receive()]
    while messages[-1].get("more_body"):
        messages.append(await receive())
    messages.reverse()

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed


def _until_streaming(slot: WorkSlot, send: Send) -> Send:
    """`send`, which gives the turn back at the first event of a stream: a stream may stay open for minutes."""
    streaming = False

    async def watched(message: Message) -> None:
        nonlocal streaming
        if message["type"] == "http.response.start":
            streaming = any(
                name == b"content-type" and value.startswith(b"text/event-stream") for name, value in message["headers"]
            )
        elif streaming and message.get("body"):
            slot.give_back()
        await send(message)

    return watched
