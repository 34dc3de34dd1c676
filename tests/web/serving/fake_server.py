"""Several processes that serve a fake: `python -m tests.web.serving.fake_server FOLDER text|json [fails|stubborn]`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from web.observing import logs
from web.serving import listening, supervised, workers
from web.serving.application import METRICS, Application
from web.serving.draining import Drain, Draining
from web.settings import Settings


def build(serving: Application) -> ASGIApp:
    """Answers with the id of its process, which it leaves in FOLDER/starts.

    At /hang it never answers again; at /stream, two seconds later or when it is told to stop.
    """
    assert serving.folder is not None
    how = sys.argv[3:]
    if "fails" in how:
        sys.exit(7)
    if "stubborn" in how:
        signal.signal(signal.SIGTERM, _deaf)
    supervised._SILENCE = 2.0
    (serving.folder / METRICS / f"gauge_livesum_{os.getpid()}.db").touch()
    task = supervised.supervise(serving.folder, lambda: None)
    with open(serving.index / "starts", "a") as starts:
        starts.write(f"{os.getpid()} {serving.announces} {serving.processes} {serving.folder}\n")
    return Pid(task)


@dataclass(frozen=True, slots=True)
class ImpatientApplication(Application):
    """Hears from its processes more often."""

    def config(self) -> uvicorn.Config:
        config = Application.config(self)  # `super()` knows no classes with slots
        config.timeout_worker_healthcheck = 2
        return config


class Pid:
    def __init__(self, task: asyncio.Task[None]) -> None:
        self._task = task
        self._drain = Drain()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            with self._drain.begun_by_signals():
                for event in ("startup", "shutdown"):
                    await receive()
                    await send({"type": f"lifespan.{event}.complete"})
            return
        if scope["path"] == "/hang":
            time.sleep(3600)
        headers = [(b"connection", b"close")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if scope["path"] == "/stream":
            with contextlib.suppress(Draining):
                await self._drain.or_result(lambda: time.sleep(2))
        await send(
            {"type": "http.response.body", "body": f"{os.getpid()}{' interrupted' * self._drain.begun}".encode()}
        )


def _deaf(number: int, frame: FrameType | None) -> None:
    pass


def main(folder: Path, log_format: str) -> int:
    workers._GRACE = 1.0
    # Whatever the tests themselves were started with.
    signal.signal(signal.SIGHUP, signal.SIG_IGN if "nohup" in sys.argv[3:] else signal.SIG_DFL)
    logs.configure("json" if log_format == "json" else "text", "warning")
    with listening.bind("127.0.0.1", 0, 2) as listener:
        print(listener.getsockname()[1], flush=True)
        return workers.run(ImpatientApplication(build, Settings(), folder, listener, 2))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
