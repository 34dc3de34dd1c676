"""Does the jobs that Slack asked for, after the acknowledgement.

A few tasks of the event loop take jobs from a short queue. The computing part of a job waits for a work slot like any
request (`web/admission.py`), so that no more is computed at once than there are cores; sending, which is waiting for
Slack, holds no slot. When the server stops, whoever still waits for an answer is told to ask again.
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

from web.admission import Overloaded, WorkSlot, WorkSlots, hold
from web.serving.draining import Drain, Draining
from web.slack.errors import Declined, SlackError
from web.slack.messages import Message, plain_message

log = logging.getLogger(__name__)

Send: TypeAlias = Callable[[Message], None]  # blocking; raises SlackError

BUSY = plain_message("So many questions came at once that I cannot answer this one: please ask again in a minute.")
INTERRUPTED = plain_message("I was restarted before I could answer: please ask again.")
FAILED = plain_message("Something went wrong on my side; it has been logged. Please try again.")

_AT_ONCE = 8  # jobs under way, most of them waiting for Slack
_WAITING = 50  # jobs in the queue
_LONGEST_WAIT = 20.0  # seconds that a job waits for a work slot
_PAUSE = 0.25  # seconds between two attempts to take one
_SHUTDOWN = 2.0  # seconds to tell those who wait that the server stops
_APOLOGIES = 16  # messages about dropped jobs under way at once


@dataclass(frozen=True, slots=True)
class Job:
    """`work` computes a message, `send` delivers it; `tell` delivers the reason why there is none to the asker alone.

    All three block; `work` may raise Declined.
    """

    work: Callable[[], Message]
    send: Send
    tell: Send


class JobWorker:
    """Does `at_once` jobs concurrently and lets `waiting` more wait. Bound to one event loop."""

    def __init__(self, slots: WorkSlots, drain: Drain, waiting: int = _WAITING, at_once: int = _AT_ONCE) -> None:
        self._slots = slots
        self._drain = drain
        self._at_once = at_once
        self._queue: asyncio.Queue[Job] = asyncio.Queue(waiting)
        self._apologies: set[asyncio.Task[None]] = set()
        self._threads = ThreadPoolExecutor(at_once + _APOLOGIES, thread_name_prefix="slack")

    def offer(self, job: Job) -> bool:
        """Queues the job; False if the queue is full."""
        try:
            self._queue.put_nowait(job)
        except asyncio.QueueFull:
            return False
        return True

    def offer_or_tell(self, job: Job) -> bool:
        """Queues the job, or tells the asker that it is dropped and returns False."""
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
        """Does jobs while the context is open; then tells those who wait that the server stops."""
        tasks = [asyncio.create_task(self._work()) for _ in range(self._at_once)]
        try:
            yield
        finally:
            self._drain.begin()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_SHUTDOWN):
                    await self._queue.join()
            for task in (*tasks, *self._apologies):
                task.cancel()
            await asyncio.gather(*tasks, *self._apologies, return_exceptions=True)
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def _work(self) -> None:
        while True:
            job = await self._queue.get()
            try:
                await self._run(job)
            finally:
                self._queue.task_done()

    async def _run(self, job: Job) -> None:
        try:
            slot = await self._take_slot()
            hold(slot)
            try:
                message = await self._drain.or_result(job.work)
            finally:
                slot.give_back()
        except Draining:
            await self._deliver(job.tell, INTERRUPTED)
        except Overloaded:
            await self._deliver(job.tell, BUSY)
        except Declined as declined:
            await self._deliver(job.tell, plain_message(str(declined)))
        except Exception as error:  # a failing job must not end the task that does the others
            _log(error)
            await self._deliver(job.tell, FAILED)
        else:
            await self._deliver(job.send, message)

    async def _take_slot(self) -> WorkSlot:
        """A work slot, retried for a while. Raises Overloaded, Draining."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + _LONGEST_WAIT
        while True:
            if self._drain.begun:
                raise Draining
            try:
                return await self._slots.take()
            except Overloaded:
                if clock() > deadline:
                    raise
                await asyncio.sleep(_PAUSE)

    async def _deliver(self, send: Send, message: Message) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, send, message)
        except SlackError as error:
            log.error("An answer did not reach Slack: %s.", str(error).removesuffix("."))
        except Exception as error:  # as above
            _log(error)


def _log(error: Exception) -> None:
    """Logs where the error was raised, without its message, which may contain a question, a token or an address."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    log.error("A job for Slack failed: %s\n%s", type(error).__name__, frames)
