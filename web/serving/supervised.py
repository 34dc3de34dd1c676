"""What one of several serving processes does beside serving."""

from __future__ import annotations

import asyncio
import faulthandler
import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

_SILENCE = 30.0  # seconds for which the event loop may stand still
_PAUSE = 1.0  # seconds


def supervise(folder: Path, each_second: Callable[[], None]) -> asyncio.Task[None]:
    """End this process when its supervisor is gone, or its event loop stands still; do `each_second` beside.

    Called on the event loop. The task that it returns goes on until the process ends.
    """
    supervisor = multiprocessing.parent_process()
    assert supervisor is not None
    asyncio.get_running_loop().add_reader(supervisor.sentinel, _orphaned, folder, supervisor.sentinel)
    return asyncio.create_task(_living(each_second))


def _orphaned(folder: Path, sentinel: int) -> None:
    """The supervisor was killed, and cannot tidy up."""
    asyncio.get_running_loop().remove_reader(sentinel)
    shutil.rmtree(folder, ignore_errors=True)
    os.kill(os.getpid(), signal.SIGTERM)


async def _living(each_second: Callable[[], None]) -> None:
    while True:
        each_second()
        # Told too late to wait on, it writes where every thread stands and exits; the supervisor starts another.
        faulthandler.dump_traceback_later(_SILENCE, exit=True)
        await asyncio.sleep(_PAUSE)
