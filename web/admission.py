"""Lets as many requests work at once as keep the cores busy, and refuses what comes too late.

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
import logging
import math
import time
from collections.abc import Callable
from typing import TypeAlias

from web.shared_state import SharedTimestamp

log = logging.getLogger(__name__)

Clock: TypeAlias = Callable[[], float]

_PATIENCE = 1.0  # seconds a request waits for its turn
_LATE = 0.25  # seconds after which a turn comes too late when it is too much
_NEXT = 1  # requests that may wait when it is too much, so that no turn goes unused
_CALM = 1.0  # seconds without a refusal after which a crowd may wait again: as long as those refused stay away


class Overloaded(Exception):
    """The turn of a request does not come soon enough."""


class WorkSlot:
    """A request's right to be worked on, until it is given back."""

    def __init__(self, slots: WorkSlots) -> None:
        self._slots = slots
        self._held = True

    def give_back(self) -> None:
        """Let the next one work; a second call does nothing."""
        if self._held:
            self._held = False
            self._slots.finished()


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
        """`patience`: seconds a request waits for its turn. `refused`: when any process last refused one."""
        self._at_once = min(at_once, capacity)
        self._capacity = capacity
        self._patience = patience
        self._clock = clock
        self._working = 0
        self._line: dict[asyncio.Future[None], float] = {}  # who waits, in order of arrival, and since when
        self._refused = refused or SharedTimestamp()
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

    async def take(self) -> WorkSlot:
        """Wait for a turn. Raises Overloaded."""
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
            if _given(waiting):  # its turn came as it left
                self.finished()
            raise
        finally:
            self._line.pop(waiting, None)
        return WorkSlot(self)

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
