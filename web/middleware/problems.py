"""Tells every error: what happened, what to do, and nothing of what was sent.

Programs get RFC 9457 problem+json; a browser that asks for a page gets a page.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qa.errors import JournalUnavailable, UnknownAnswer, UnknownConversation, UnknownTag
from web import templating
from web.access.policy import COOKIE
from web.errors import KeysUnavailable
from web.middleware import openai_errors
from web.observing.recording import request_id
from web.routing.facts import facts_of

log = logging.getLogger(__name__)

NO_CONVERSATION: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such conversation."}}
NO_ANSWER: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such answer."}}

MEDIA_TYPE = "application/problem+json"
_OURS = "Something went wrong on our side; it has been logged. Please try again."
KEYS_UNAVAILABLE = "Keys cannot be checked at the moment: please try again later."

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")


class NoSuchArticle(Exception):
    """`near` are the articles it may have meant."""

    def __init__(self, article_id: str, near: Sequence[str]) -> None:
        hint = f" Did you mean {', '.join(near)}?" if near else ""
        super().__init__(f"There is no article with this id.{hint} All articles: GET /api/v1/articles.")
        self.near = tuple(near)


def failure(
    request: Request,
    status: int,
    detail: str,
    *,
    errors: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An error response; `errors` name fields, as `{"field", "message"}`."""
    shape = facts_of(request.scope).errors
    if shape == "openai":
        return openai_errors.failure(status, detail, errors, headers)
    if shape == "page" and "text/html" in request.headers.get("accept", "").lower():
        if status == 401:
            return templating.sign_in(status, detail if _presented(request) else "", headers or {}, _address(request))
        return templating.error(status, detail, headers or {})
    body = _document(status, detail, errors)
    return JSONResponse(body, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def of(error: Exception) -> dict[str, Any]:
    """The problem+json document of an error that came too late for a status."""
    if isinstance(error, UnknownTag):
        return _document(422, str(error), [{"field": "tags", "message": str(error)}])
    if isinstance(error, HTTPException):
        return _document(error.status_code, str(error.detail))
    log.error("unexpected error", exc_info=error)
    return _document(500, _OURS)


def _document(status: int, detail: str, errors: Sequence[Mapping[str, str]] = ()) -> dict[str, Any]:
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "request_id": request_id(),
    }
    return {**document, "errors": list(errors)} if errors else document


def _presented(request: Request) -> bool:
    """Whether it came with something to prove who sent it, which was no good then."""
    return "authorization" in request.headers or COOKIE in request.cookies


def _address(request: Request) -> str:
    """Where to go on once signed in."""
    if request.method != "GET":
        return "/"
    path, query = quote(request.scope["path"]), request.url.query
    return f"{path}?{query}" if query else path


def install(app: FastAPI) -> None:
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(UnknownTag, _unprocessable_tag)
    app.add_exception_handler(UnknownConversation, _missing)
    app.add_exception_handler(UnknownAnswer, _missing)
    app.add_exception_handler(JournalUnavailable, _unavailable)
    app.add_exception_handler(KeysUnavailable, _no_keys)
    app.add_exception_handler(NoSuchArticle, _missing)
    app.add_exception_handler(RecursionError, _nested)
    app.add_exception_handler(openai_errors.Refusal, openai_errors.refused)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [{"field": _field(e["loc"]), "message": str(e["msg"])} for e in error.errors()]
    fields = ", ".join(dict.fromkeys(e["field"] for e in errors))
    return failure(request, 422, f"The request is not valid: see {fields}.", errors=errors)


def _field(location: Sequence[object]) -> str:
    """What a field is called; one that we do not have is named only if it looks like a name."""
    parts = [str(part) for part in location if part not in ("body", "query", "path")]
    return ".".join(part if _NAME.fullmatch(part) else "…" for part in parts) or "body"


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["allow"] = ", ".join(_allowed(request))
    return failure(request, error.status_code, str(error.detail), headers=headers)


def _allowed(request: Request) -> list[str]:
    """The methods of an address. Starlette knows those of the first route alone that has it, and none of a file."""
    if isinstance(request.scope.get("endpoint"), StaticFiles):
        return ["GET", "HEAD"]
    routes = request.app.router.routes
    scopes = [{**request.scope, "method": method, "path_params": {}} for method in _METHODS]
    methods = [s["method"] for s in scopes if any(route.matches(s)[0] is Match.FULL for route in routes)]
    return ["GET", "HEAD", *methods[1:]] if "GET" in methods else methods


def _unprocessable_tag(request: Request, error: Exception) -> Response:
    return failure(request, 422, str(error), errors=[{"field": "tags", "message": str(error)}])


def _missing(request: Request, error: Exception) -> Response:
    return failure(request, 404, str(error))


def _unavailable(request: Request, error: Exception) -> Response:
    log.error("%s", error)
    detail = "Conversations cannot be read or written at the moment: please try again later."
    return failure(request, 503, detail, headers={"retry-after": "30"})


def _no_keys(request: Request, error: Exception) -> Response:
    log.error("%s", error)
    return failure(request, 503, KEYS_UNAVAILABLE, headers={"retry-after": "30"})


def _nested(request: Request, error: Exception) -> Response:
    return failure(request, 400, "The request body is nested too deeply.")


class UnexpectedAsProblem:
    """ASGI middleware: an error that nobody expected is logged, and told like every other.

    Starlette's own would be told outside of all middleware, and log the error with what it says.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception as error:
            if begun or scope["type"] != "http":  # the server breaks the line off, so that half an answer is none
                raise
            log.error("unexpected error", exc_info=error)
            await failure(Request(scope), 500, _OURS)(scope, receive, send)
