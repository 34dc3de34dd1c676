"""When the server is told to stop, open streams say so and end, instead of holding it up."""

from __future__ import annotations

import asyncio
import contextvars
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

Result = TypeVar("Result")
Item = TypeVar("Item")

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_AT_ONCE = 40  # threads; their own, so that what is quick never waits for what is slow


class Draining(Exception):
    """The server is stopping: what was asked for will not come."""


class Drain:
    """Begun once, when the server is told to stop. Used on its event loop only."""

    def __init__(self) -> None:
        self._begun = asyncio.Event()
        # Work that is under way keeps its thread even if nobody waits for it any more, so there are never more of them.
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="stream")

    def begin(self) -> None:
        """From a signal handler too: the server wakes its loop ten times a second."""
        self._begun.set()

    @contextmanager
    def begun_by_signals(self) -> Iterator[None]:
        """Begin when this process is told to stop, before the server that handles the signal stops.

        uvicorn waits for open streams at shutdown, and tells the application afterwards.
        """
        here = threading.current_thread() is threading.main_thread()  # no other gets signals
        handlers = {number: handler for number in _SIGNALS if here and callable(handler := signal.getsignal(number))}

        def begin(number: int, frame: FrameType | None) -> None:
            self.begin()
            handlers[signal.Signals(number)](number, frame)

        for number in handlers:
            signal.signal(number, begin)
        try:
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)

    @property
    def begun(self) -> bool:
        return self._begun.is_set()

    async def each(self, work: Callable[[], Iterator[Item]]) -> AsyncIterator[Item]:
        """The items that blocking `work` makes in one thread, as they come. Raises Draining as `or_result` does.

        A client that leaves stops the waiting; work that has begun goes on to its end, so that its answer is kept.
        """
        loop = asyncio.get_running_loop()
        items: asyncio.Queue[Item | None] = asyncio.Queue()

        def run() -> None:
            for item in work():
                loop.call_soon_threadsafe(items.put_nowait, item)

        running = self._started(run)
        running.add_done_callback(lambda _: items.put_nowait(None))  # after the last item: callbacks run in order
        try:
            while (item := await self._unless_draining(asyncio.ensure_future(items.get()))) is not None:
                yield item
            running.result()
        finally:
            running.cancel()

    async def or_result(self, work: Callable[[], Result]) -> Result:
        """The result of blocking `work`, run in a thread. Raises Draining as soon as the server is told to stop.

        Cancelled, by a client that leaves, it stops waiting at once; work that has not begun never does.
        """
        return await self._unless_draining(self._started(work))

    def _started(self, work: Callable[[], Result]) -> asyncio.Future[Result]:
        context = contextvars.copy_context()  # so that what is logged there says for which request
        return asyncio.wrap_future(self._threads.submit(context.run, work))

    async def _unless_draining(self, awaited: asyncio.Future[Result]) -> Result:
        stopping = asyncio.ensure_future(self._begun.wait())
        either: set[asyncio.Future[Any]] = {awaited, stopping}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not awaited.done():
                raise Draining
            return awaited.result()
        finally:
            awaited.cancel()
            stopping.cancel()
