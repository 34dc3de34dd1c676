"""Lets as many requests work at once as keep the cores busy, and refuses what would come too late.

Searching is CPU work: more of it at once than the cores can do makes every answer late and none sooner. So hardly more
requests are worked on than there are cores, in order of arrival, and the others wait in line: a crowd that arrives
together is answered in full, a little later. Where several processes serve, each takes its share.

A full line, or a request that has waited for a second, means overload. From then on, until nothing has been refused
for a second, the line is kept short: a request that has waited longer than a quarter of a second is refused, and only
one newcomer may wait; the others get 503 with Retry-After at once. So an answer takes little longer than usual, however
many ask (short queues under overload: B. Maurer, "Fail at Scale", ACM Queue 13(8), 2015). Overload in one process
counts for all of them: otherwise clients that one refuses would fill the line of another to just below its limit.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeAlias

from web.shared_state import SharedTimestamp

log = logging.getLogger(__name__)

Clock: TypeAlias = Callable[[], float]

_PATIENCE = 1.0  # seconds a request waits for a slot
_LATE = 0.25  # seconds after which a slot comes too late under overload
_NEXT = 1  # requests that may wait under overload, so that no slot goes unused
_CALM = 1.0  # seconds without a refusal until a crowd may wait again: as long as Retry-After keeps clients away


class Overloaded(Exception):
    """No work slot becomes free soon enough for a request."""


class WorkSlot:
    """A request's right to be worked on, until it is given back. Made on the event loop."""

    def __init__(self, slots: WorkSlots) -> None:
        self._slots = slots
        self._held = True
        self._over = False
        self._loop = asyncio.get_running_loop()

    def give_back(self) -> None:
        """The request is done: let the next one work. A second call does nothing."""
        if not self._over:
            self._over = True
            if self._held:
                self._held = False
                self._slots.finished()
            else:
                self._slots.left_outside()

    @contextmanager
    def set_aside(self) -> Iterator[None]:
        """Called in a thread: the slot is free for others until the end of the block, and then taken again."""
        self._call(self._go_outside)
        try:
            yield
        finally:
            self._call(self._come_back)

    def _call(self, function: Callable[[], None]) -> None:
        """Call `function` on the event loop and wait for its end."""

        async def called() -> None:
            function()

        asyncio.run_coroutine_threadsafe(called(), self._loop).result()

    def _go_outside(self) -> None:
        if self._held:
            self._held = False
            self._slots.went_outside()

    def _come_back(self) -> None:
        if not (self._held or self._over):  # a client that has left meanwhile needs no slot any more
            self._held = True
            self._slots.came_back()


class WorkSlots:
    """Lets `at_once` requests work at a time, and `capacity` be inside. For one event loop."""

    def __init__(
        self,
        at_once: int,
        capacity: int,
        patience: float = _PATIENCE,
        clock: Clock = time.monotonic,
        refused: SharedTimestamp | None = None,
    ) -> None:
        """`patience`: seconds a request waits for a slot. `refused`: when any process last refused one."""
        self._at_once = min(at_once, capacity)
        self._capacity = capacity
        self._patience = patience
        self._clock = clock
        self._working = 0
        self._line: dict[asyncio.Future[None], float] = {}  # requests in order of arrival, and since when they wait
        self._outside = 0  # requests that have set their slot aside
        self._refused = refused or SharedTimestamp()
        self.turned_away = 0

    @property
    def working(self) -> int:
        """How many are worked on."""
        return self._working

    @property
    def waiting(self) -> int:
        """How many wait in line."""
        return len(self._line)

    @property
    def full(self) -> bool:
        """Whether one who comes now would be refused."""
        most = min(self._at_once + _NEXT, self._capacity) if self._is_overloaded() else self._capacity
        return self._working + self._outside + len(self._line) >= most

    async def take(self) -> WorkSlot:
        """Wait in line for a slot. Raises Overloaded."""
        if self.full:
            raise self.refuse()
        if self._working < self._at_once:
            self._working += 1
            return WorkSlot(self)
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line[waiting] = self._clock()
        try:
            async with asyncio.timeout(self._patience):
                await waiting
        except TimeoutError:
            if not _given(waiting):  # in the last moment
                raise self.refuse() from None
        except asyncio.CancelledError:
            if _given(waiting):  # it got its slot as it left
                self.finished()
            raise
        finally:
            self._line.pop(waiting, None)
        return WorkSlot(self)

    def went_outside(self) -> None:
        """A request waits for something outside the process: another may work."""
        self._outside += 1
        self.finished()

    def came_back(self) -> None:
        """It goes on at once, because it holds a thread that others wait for: for a while one more than usual works."""
        self._outside -= 1
        self._working += 1

    def left_outside(self) -> None:
        """It is over before it has come back."""
        self._outside -= 1

    def refuse(self) -> Overloaded:
        """The error for a request that is refused; overload begins, or goes on."""
        if not self._is_overloaded():
            log.warning("More is asked than can be answered: requests are refused.")
        self._refused.set(self._clock())
        self.turned_away += 1
        return Overloaded()

    def finished(self) -> None:
        """A request is done: the next one may work."""
        if self._working > self._at_once:  # others have come back from outside
            self._working -= 1
            return
        too_late = self._clock() - _LATE if self._is_overloaded() else -math.inf
        for waiting, since in list(self._line.items()):
            del self._line[waiting]
            if waiting.done():
                continue
            if since >= too_late:
                waiting.set_result(None)
                return
            waiting.set_exception(self.refuse())
        self._working -= 1

    def _is_overloaded(self) -> bool:
        return self._clock() - self._refused.get() < _CALM


_CURRENT: ContextVar[WorkSlot] = ContextVar("work_slot")  # of the request that is worked on


def hold(slot: WorkSlot) -> None:
    """Make `slot` that of the request in whose context this is called; threads that work for it see it too."""
    _CURRENT.set(slot)


@contextmanager
def waiting_outside() -> Iterator[None]:
    """Frees the work slot of this request while a thread waits for something outside the process, such as a model.

    Outside a request, or once its slot is given back, it does nothing.
    """
    slot = _CURRENT.get(None)
    if slot is None:
        yield
    else:
        with slot.set_aside():
            yield


def _given(waiting: asyncio.Future[None]) -> bool:
    """Whether a request that waited has got a slot, and was not refused."""
    return waiting.done() and not waiting.cancelled() and waiting.exception() is None
