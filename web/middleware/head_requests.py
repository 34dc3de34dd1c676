"""HEAD wherever there is GET (RFC 9110, 9.1): the same header fields, and no content."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadAsGet:
    """ASGI middleware: all that is inside of it sees a GET, with its access rules, its limits and its route.

    FastAPI adds HEAD to no route; given to the routes one by one, it would be in the OpenAPI document. What is outside,
    the log, the metrics and the HTTP server, sees what was sent.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def without_content(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        if scope["type"] == "http" and scope["method"] == "HEAD":
            await self._app({**scope, "method": "GET"}, receive, without_content)
        else:
            await self._app(scope, receive, send)
