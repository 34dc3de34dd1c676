"""How many requests are worked on at once, how many wait, and which are refused.

Searching is CPU work: more of it at once than there are cores makes every answer late and none sooner. So as many
requests are worked on as there are cores, in order of arrival, and the others wait. A burst may wait a second. Where
requests have been waiting without a break for longer than twenty of them take, it is no burst but too much: from then
on a request waits as long as one takes, and gets 503 with Retry-After if its turn has not come, so that those who are
answered are answered in twice the usual time (B. Maurer, "Fail at Scale", ACM Queue 13(8), 2015).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeAlias

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.problems import failure

Clock: TypeAlias = Callable[[], float]

_BURST = 20  # times the work of a request: waiting without a break for longer is no burst
_FIRST_GUESS = 0.025  # seconds of work a request takes, until some have been timed
_SMOOTHING = 0.1  # weight of the newest request in their mean
# Slack waits three seconds for its requests to be acknowledged; what they ask for takes a turn later.
_ALWAYS_SERVED = ("/livez", "/readyz", "/metrics", "/static/", "/slack/")
_BUSY = "More is asked than can be answered at the moment: please try again in a second."


class Overloaded(Exception):
    """The turn of a request does not come soon enough."""


class Turn:
    """A request's right to be worked on, until it is given back."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._started = time.monotonic()
        self._held = True

    def give_back(self) -> None:
        """Let the next one work; a second call does nothing."""
        if self._held:
            self._held = False
            self._turns.finished(time.monotonic() - self._started)


class Turns:
    """Lets `at_once` requests work at a time, in order of arrival, and `capacity` be inside. For one event loop."""

    def __init__(self, at_once: int, capacity: int, burst_wait: float = 1.0, clock: Clock = time.monotonic) -> None:
        self._burst_wait = burst_wait  # seconds
        self._clock = clock
        self._free = asyncio.Semaphore(at_once)
        self._capacity = capacity
        self._inside = 0
        self._waiting = 0
        self._nobody_waited = clock()
        self._work = _FIRST_GUESS

    @property
    def full(self) -> bool:
        return self._inside >= self._capacity

    async def take(self) -> Turn:
        """Wait for a turn. Raises Overloaded."""
        if self.full:
            raise Overloaded
        self._inside += 1
        try:
            await self._wait()
        except BaseException:  # refused, or cancelled
            self._inside -= 1
            raise
        return Turn(self)

    async def _wait(self) -> None:
        now = self._clock()
        if not self._waiting:
            self._nobody_waited = now
        burst = now - self._nobody_waited < _BURST * self._work
        patience = self._burst_wait if burst else self._work
        self._waiting += 1
        try:
            async with asyncio.timeout(patience):
                await self._free.acquire()
        except TimeoutError:
            raise Overloaded from None
        finally:
            self._waiting -= 1

    def finished(self, seconds: float) -> None:
        """A turn of `seconds` is over."""
        self._work += _SMOOTHING * (seconds - self._work)
        self._inside -= 1
        self._free.release()


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
