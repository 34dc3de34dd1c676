"""What a serving process needs to build the application it serves."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from indexes.console import FAILED
from indexes.errors import FootnoteError
from web.serving.listening import BACKLOG
from web.settings import Settings

FAILURE = "failure"  # file, in the folder of what is shared, that says why the first process cannot start
METRICS = "metrics"  # folder, in that of what is shared, of the figures of every process
_GRACE = 3  # seconds that open requests get at shutdown
_SILENCE = 10  # seconds in which a process has to answer its supervisor; it may just be starting on a busy machine


@dataclass(frozen=True, slots=True)
class Application:
    """Builds the application, in the process that serves it: uvicorn sends this to its workers, pickled.

    `build`: makes it, in that process alone. `folder`: what the processes share lies there; None: one process serves.
    `announces`: whether this one tells where the server is.
    """

    build: Callable[[Application], ASGIApp]
    settings: Settings
    index: Path
    listener: socket.socket
    processes: int = 1
    folder: Path | None = None
    announces: bool = True

    def __call__(self) -> ASGIApp:
        """Raises FootnoteError saying what is missing; one process of several leaves word of it, and exits."""
        try:
            return self.build(self)
        except FootnoteError as error:
            if self.folder is None:
                raise
            if self.announces:  # the command fails with it
                (self.folder / FAILURE).write_text(str(error), encoding="utf-8")
            else:
                print(f"footnote: {error}", file=sys.stderr, flush=True)
            sys.exit(FAILED)

    def config(self) -> uvicorn.Config:
        """How uvicorn serves it."""
        return uvicorn.Config(
            self,
            factory=True,
            workers=self.processes,
            log_config=None,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=_GRACE,
            timeout_worker_healthcheck=_SILENCE,
            server_header=False,
            backlog=BACKLOG,
            proxy_headers=False,  # web/access/proxies.py reads them, from those who are trusted
        )
