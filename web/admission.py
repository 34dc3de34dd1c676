"""How many requests are worked on at once, how many wait, and which are refused.

Searching is CPU work: more of it at once than there are cores makes every answer late and none sooner. So as many
requests are worked on as there are cores, in order of arrival, and the others wait: a crowd that arrives together is
answered, all of it, if a bit later.

Where the house gets full, or a request has waited for a second, it is no crowd but too much. From then on, until nobody
had to be refused for a second, those who come get the next turn or 503 with Retry-After at once: no more of them wait
than are worked on, so an answer takes twice the usual time at most. Those who have waited are passed over for them, and
served when there is room again (adaptive LIFO: B. Maurer, "Fail at Scale", ACM Queue 13(8), 2015).
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import TypeAlias

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.problems import failure

Clock: TypeAlias = Callable[[], float]

_PATIENCE = 1.0  # seconds a request waits for its turn
_CALM = 1.0  # seconds without a refusal after which a crowd may wait again: as long as those refused stay away
# Slack waits three seconds for its requests to be acknowledged; what they ask for takes a turn later.
_ALWAYS_SERVED = ("/livez", "/readyz", "/metrics", "/static/", "/slack/")
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
        self, at_once: int, capacity: int, patience: float = _PATIENCE, clock: Clock = time.monotonic
    ) -> None:  # fmt: skip
        """`patience`: seconds a request waits for its turn."""
        self._at_once = min(at_once, capacity)
        self._capacity = capacity
        self._few = min(self._at_once, capacity - self._at_once)  # who may wait when it is too much
        self._patience = patience
        self._clock = clock
        self._working = 0
        self._crowd: deque[asyncio.Future[None]] = deque()  # who waits, in order of arrival
        self._next: deque[asyncio.Future[None]] = deque()  # who came since it is too much: served first
        self._refused = -_CALM  # when the last one was
        self.turned_away = 0

    @property
    def working(self) -> int:
        """How many are worked on."""
        return self._working

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return len(self._next) + len(self._crowd)

    @property
    def full(self) -> bool:
        """Whether one who comes now would be refused."""
        if self._too_much():
            return self._working >= self._at_once and len(self._next) >= self._few
        return self._working + len(self._next) + len(self._crowd) >= self._capacity

    async def take(self) -> Turn:
        """Wait for a turn. Raises Overloaded."""
        if self.full:
            raise self.refuse()
        if self._working < self._at_once:
            self._working += 1
            return Turn(self)
        line = self._next if self._too_much() else self._crowd
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.append(waiting)
        try:
            async with asyncio.timeout(self._patience):
                await waiting
        except TimeoutError:
            if waiting.cancelled():  # and not given its turn in the last moment
                raise self.refuse() from None
        except asyncio.CancelledError:
            if not waiting.cancelled():  # its turn came as it left
                self.finished()
            raise
        finally:
            if waiting in line:
                line.remove(waiting)
        return Turn(self)

    def refuse(self) -> Overloaded:
        """What to tell one who is turned away. It is too much from now on."""
        self._refused = self._clock()
        self.turned_away += 1
        return Overloaded()

    def finished(self) -> None:
        """A turn is over: the next one's has come."""
        for line in (self._next, self._crowd):
            while line:
                waiting = line.popleft()
                if not waiting.done():
                    waiting.set_result(None)
                    return
        self._working -= 1

    def _too_much(self) -> bool:
        return self._clock() - self._refused < _CALM


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
    refusal = failure(Request(scope), 503, _BUSY, headers={"Retry-After": "1"})
    await refusal(scope, receive, send)


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
