"""A body over the limit answers like every other error."""

from __future__ import annotations

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.middleware.problems import failure

_TOO_LARGE = 413


class TooLargeAsProblem:
    """ASGI middleware around the body limit, whose own 413 is plain text."""

    def __init__(self, app: ASGIApp, max_body: int) -> None:
        self._app = app
        self._detail = f"The request body is larger than {max_body} bytes: send less."

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        replaced = False

        async def send_problem(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and message["status"] == _TOO_LARGE:
                replaced = True
                await failure(Request(scope), _TOO_LARGE, self._detail)(scope, receive, send)
            elif not replaced:
                await send(message)

        await self._app(scope, receive, send_problem if scope["type"] == "http" else send)
