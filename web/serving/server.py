"""The HTTP server, which tells open streams when it is told to stop, and a supervisor that it lives."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
from collections.abc import Callable
from types import FrameType

import uvicorn

from web.serving.draining import Drain
from web.serving.worker_slot import WorkerSlot

_TICKS = 10  # of uvicorn, a second


class DrainingServer(uvicorn.Server):
    """uvicorn waits for open streams at shutdown: beginning the drain ends them."""

    def __init__(self, config: uvicorn.Config, drain: Drain) -> None:
        super().__init__(config)
        self._drain = drain

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._drain.begin()
        super().handle_exit(sig, frame)


class SupervisedServer(DrainingServer):
    """Says every second that it lives, and stops within a tenth of one when nobody hears it any more."""

    def __init__(
        self, config: uvicorn.Config, drain: Drain, place: WorkerSlot, each_second: Callable[[], None]
    ) -> None:
        """`each_second`: what is to be done beside, quickly."""
        super().__init__(config, drain)
        self._place = place
        self._each_second = each_second
        self._unheard = select.poll()
        self._unheard.register(place.beats, 0)  # an error alone: the pipe has no reader any more

    async def on_tick(self, counter: int) -> bool:
        if counter % _TICKS == 0:
            self._each_second()
            self.beat()
        if self._unheard.poll(0):  # the supervisor was killed, and cannot tidy up
            shutil.rmtree(self._place.folder, ignore_errors=True)
            self.handle_exit(signal.SIGTERM, None)
        return await super().on_tick(counter)

    def beat(self) -> None:
        """Say that this process lives, and serves from now on."""
        # It is full once the supervisor has been asleep for hours; broken, it is seen in a moment.
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            os.write(self._place.beats, b".")
