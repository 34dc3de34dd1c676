"""Who does what was asked for in Slack, after it was acknowledged?

A few tasks of the event loop take jobs from a short queue. The computing part of a job waits for its turn with all
other requests (`web/admission.py`), so that never more is computed than there are cores; sending, which is waiting
for Slack, holds no turn. When the server is told to stop, whoever still waits for an answer is told to ask again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import traceback
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

from web.admission import Overloaded, WorkSlot, WorkSlots
from web.serving.draining import Drain, Draining
from web.slack.errors import Declined, SlackError
from web.slack.messages import Message, said

log = logging.getLogger(__name__)

Send: TypeAlias = Callable[[Message], None]  # blocking; raises SlackError

BUSY = said("So many questions came at once that I cannot answer this one: please ask again in a minute.")
INTERRUPTED = said("I was restarted before I could answer: please ask again.")
FAILED = said("Something went wrong on my side; it has been logged. Please try again.")

_AT_ONCE = 8  # jobs, most of them waiting for Slack
_WAITING = 50  # jobs in the queue
_PATIENCE = 20.0  # seconds that a job waits for its turn to compute
_PAUSE = 0.25  # seconds until it asks for a turn again
_LAST_WORDS = 2.0  # seconds to tell those who wait that the server stops
_APOLOGIES = 16  # under way at once


@dataclass(frozen=True, slots=True)
class Job:
    """`work` computes a message, `send` delivers it. `tell` delivers why there is none, to the asker alone.

    All three block; `work` may raise Declined.
    """

    work: Callable[[], Message]
    send: Send
    tell: Send


class JobWorker:
    """Does jobs, `at_once` of them side by side; `waiting` more may wait. For one event loop."""

    def __init__(self, slots: WorkSlots, drain: Drain, waiting: int = _WAITING, at_once: int = _AT_ONCE) -> None:
        self._slots = slots
        self._drain = drain
        self._at_once = at_once
        self._queue: asyncio.Queue[Job] = asyncio.Queue(waiting)
        self._apologies: set[asyncio.Task[None]] = set()
        self._threads = ThreadPoolExecutor(at_once + _APOLOGIES, thread_name_prefix="slack")

    def offer(self, job: Job) -> bool:
        """Have the job done. False: too much is waiting already."""
        try:
            self._queue.put_nowait(job)
        except asyncio.QueueFull:
            return False
        return True

    def offer_or_tell(self, job: Job) -> bool:
        """Have the job done, or tell the asker that it will not be (False)."""
        if self.offer(job):
            return True
        if len(self._apologies) >= _APOLOGIES:
            log.warning("Slack asks more than can be answered: a question was dropped without a word.")
            return False
        apology = asyncio.create_task(self._deliver(job.tell, BUSY))
        self._apologies.add(apology)
        apology.add_done_callback(self._apologies.discard)
        return False

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Works for as long as this is open; then tells who waits that it stops."""
        tasks = [asyncio.create_task(self._work()) for _ in range(self._at_once)]
        try:
            yield
        finally:
            self._drain.begin()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LAST_WORDS):
                    await self._queue.join()
            for task in (*tasks, *self._apologies):
                task.cancel()
            await asyncio.gather(*tasks, *self._apologies, return_exceptions=True)
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def _work(self) -> None:
        while True:
            job = await self._queue.get()
            try:
                await self._do(job)
            finally:
                self._queue.task_done()

    async def _do(self, job: Job) -> None:
        try:
            slot = await self._turn()
            try:
                message = await self._drain.or_result(job.work)
            finally:
                slot.give_back()
        except Draining:
            await self._deliver(job.tell, INTERRUPTED)
        except Overloaded:
            await self._deliver(job.tell, BUSY)
        except Declined as declined:
            await self._deliver(job.tell, said(str(declined)))
        except Exception as error:  # whatever it is, the others still wait for their answers
            _log(error)
            await self._deliver(job.tell, FAILED)
        else:
            await self._deliver(job.send, message)

    async def _turn(self) -> WorkSlot:
        """A turn to compute. Raises Overloaded, Draining."""
        clock = asyncio.get_running_loop().time
        until = clock() + _PATIENCE
        while True:
            if self._drain.begun:
                raise Draining
            try:
                return await self._slots.take()
            except Overloaded:
                if clock() > until:
                    raise
                await asyncio.sleep(_PAUSE)

    async def _deliver(self, send: Send, message: Message) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, send, message)
        except SlackError as error:
            log.error("An answer did not reach Slack: %s.", str(error).removesuffix("."))
        except Exception as error:  # see above
            _log(error)


def _log(error: Exception) -> None:
    """Where it happened; what the error says may hold a question, a token or an address, and is left out."""
    place = "".join(traceback.format_tb(error.__traceback__))
    log.error("A job for Slack failed: %s\n%s", type(error).__name__, place)
