"""The HTTP server, which tells open streams when it is told to stop."""

from __future__ import annotations

from types import FrameType

import uvicorn

from web.draining import Drain


class DrainingServer(uvicorn.Server):
    """uvicorn waits for open streams at shutdown: beginning the drain ends them."""

    def __init__(self, config: uvicorn.Config, drain: Drain) -> None:
        super().__init__(config)
        self._drain = drain

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._drain.begin()
        super().handle_exit(sig, frame)
