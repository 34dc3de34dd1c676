"""How many requests are worked on at once, how many wait, and which are refused.

Searching is CPU work: more of it at once than the cores can do makes every answer late and none sooner. So hardly more
requests are worked on than there are cores, in order of arrival, and the others wait: a crowd that arrives together is
answered, all of it, if a bit later. Where several processes serve, each takes its share.

Where the house gets full, or a request has waited for a second, it is no crowd but too much. From then on, until nobody
had to be refused for a second, hardly anybody else may wait: of the crowd, those are served whose turn comes within a
quarter of a second, and who comes later gets the next turn or 503 with Retry-After at once. So an answer takes little
more than it usually does, however many ask (short queues under overload: B. Maurer, "Fail at Scale", ACM Queue 13(8),
2015). It is too much for all processes as soon as it is for one: else, those who ask a full one again and again would
fill the line of another, just up to where nobody is refused.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
import uuid
from collections.abc import Callable
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.headers import HEADERS
from web.observing import recording
from web.problems import MEDIA_TYPE, failure
from web.shared import Moment

log = logging.getLogger(__name__)

Clock: TypeAlias = Callable[[], float]

_PATIENCE = 1.0  # seconds a request waits for its turn
_LATE = 0.25  # seconds after which a turn comes too late when it is too much
_NEXT = 1  # requests that may wait when it is too much, so that no turn goes unused
_CALM = 1.0  # seconds without a refusal after which a crowd may wait again: as long as those refused stay away
# Slack waits three seconds for its requests to be acknowledged; what they ask for takes a turn later.
_ALWAYS_SERVED = ("/livez", "/readyz", "/metrics", "/static/", "/slack/")
_PROGRAMS = "/api/"  # where errors are problem+json, whoever asks
_LATER = {"retry-after": "1"}  # seconds
_SOME_ID = "0" * 32  # where the id of a request goes
_BUSY = "More is asked than can be answered at the moment: please try again in a second."


class Overloaded(Exception):
    """The turn of a request does not come soon enough."""


class Turn:
    """A request's right to be worked on, until it is given back."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._held = True

    def give_back(self) -> None:
        """Let the next one work; a second call does nothing."""
        if self._held:
            self._held = False
            self._turns.finished()


class Turns:
    """Lets `at_once` requests work at a time, and `capacity` be inside. For one event loop."""

    def __init__(
        self, at_once: int, capacity: int, patience: float = _PATIENCE, clock: Clock = time.monotonic,
        refused: Moment | None = None,
    ) -> None:  # fmt: skip
        """`patience`: seconds a request waits for its turn. `refused`: when any process last refused one."""
        self._at_once = min(at_once, capacity)
        self._capacity = capacity
        self._patience = patience
        self._clock = clock
        self._working = 0
        self._line: dict[asyncio.Future[None], float] = {}  # who waits, in order of arrival, and since when
        self._refused = refused or Moment()
        self.turned_away = 0

    @property
    def working(self) -> int:
        """How many are worked on."""
        return self._working

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return len(self._line)

    @property
    def full(self) -> bool:
        """Whether one who comes now would be refused."""
        most = min(self._at_once + _NEXT, self._capacity) if self._too_much() else self._capacity
        return self._working + len(self._line) >= most

    async def take(self) -> Turn:
        """Wait for a turn. Raises Overloaded."""
        if self.full:
            raise self.refuse()
        if self._working < self._at_once:
            self._working += 1
            return Turn(self)
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line[waiting] = self._clock()
        try:
            async with asyncio.timeout(self._patience):
                await waiting
        except TimeoutError:
            if not _given(waiting):  # in the last moment
                raise self.refuse() from None
        except asyncio.CancelledError:
            if _given(waiting):  # its turn came as it left
                self.finished()
            raise
        finally:
            self._line.pop(waiting, None)
        return Turn(self)

    def refuse(self) -> Overloaded:
        """What to tell one who is turned away. It is too much from now on."""
        if not self._too_much():
            log.warning("More is asked than can be answered: requests are refused.")
        self._refused.set(self._clock())
        self.turned_away += 1
        return Overloaded()

    def finished(self) -> None:
        """A turn is over: the next one's has come."""
        too_late = self._clock() - _LATE if self._too_much() else -math.inf
        for waiting, since in list(self._line.items()):
            del self._line[waiting]
            if waiting.done():
                continue
            if since >= too_late:
                waiting.set_result(None)
                return
            waiting.set_exception(self.refuse())
        self._working -= 1

    def _too_much(self) -> bool:
        return self._clock() - self._refused.get() < _CALM


def _given(waiting: asyncio.Future[None]) -> bool:
    """Whether one who waited has got a turn, and was not refused."""
    return waiting.done() and not waiting.cancelled() and waiting.exception() is None


class Door:
    """ASGI middleware, outside all others: who comes when it is too much is refused before anything is done for them.

    With all that is done for a request, refusing three of four would take a third of the time there is for answers.
    Programs of the API alone are refused here, in words that are always the same; `Turns` counts them, and no line of
    the log tells of each.
    """

    def __init__(self, app: ASGIApp, turns: Turns) -> None:
        self._app = app
        self._turns = turns
        document = json.loads(bytes(_refusal(Request({"type": "http", "path": _PROGRAMS, "headers": []})).body))
        refusal = JSONResponse({**document, "request_id": _SOME_ID}, 503, {**HEADERS, **_LATER}, MEDIA_TYPE)
        self._headers, self._body = refusal.raw_headers, bytes(refusal.body)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._refuses(scope):
            await self._app(scope, receive, send)
            return
        self._turns.refuse()
        id = uuid.uuid4().hex.encode()
        headers = [*self._headers, (recording.HEADER.encode(), id)]
        await send({"type": "http.response.start", "status": 503, "headers": headers})
        await send({"type": "http.response.body", "body": self._body.replace(_SOME_ID.encode(), id)})

    def _refuses(self, scope: Scope) -> bool:
        if scope["type"] != "http" or not (self._turns.full and scope["path"].startswith(_PROGRAMS)):
            return False
        return all(name != b"origin" for name, _ in scope["headers"])  # another site's page must be let read it


class Admission:
    """ASGI middleware: requests take turns. Health, static files and Slack are always served."""

    def __init__(self, app: ASGIApp, turns: Turns) -> None:
        self._app = app
        self._turns = turns

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_ALWAYS_SERVED):
            await self._app(scope, receive, send)
            return
        if self._turns.full:  # before a byte of the body is read
            self._turns.refuse()
            await _refuse(scope, receive, send)
            return
        replayed = await _whole(receive)  # a turn never waits for a slow sender
        try:
            turn = await self._turns.take()
        except Overloaded:
            await _refuse(scope, replayed, send)
            return
        try:
            await self._app(scope, replayed, _until_streaming(turn, send))
        finally:
            turn.give_back()


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


def _until_streaming(turn: Turn, send: Send) -> Send:
    """`send`, which gives the turn back at the first event of a stream: a stream may stay open for minutes."""
    streaming = False

    async def watched(message: Message) -> None:
        nonlocal streaming
        if message["type"] == "http.response.start":
            streaming = any(
                name == b"content-type" and value.startswith(b"text/event-stream") for name, value in message["headers"]
            )
        elif streaming and message.get("body"):
            turn.give_back()
        await send(message)

    return watched
