"""Errors as RFC 9457 problem+json: what happened, what to do, and nothing of what was sent."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from qa.errors import UnknownConversation, UnknownTag

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


class NoSuchArticle(Exception):
    """`near` are the articles it may have meant."""

    def __init__(self, article_id: str, near: Sequence[str]) -> None:
        hint = f" Did you mean {', '.join(near)}?" if near else ""
        super().__init__(f"There is no article with this id.{hint} All articles: GET /api/v1/articles.")
        self.near = tuple(near)


def problem(
    status: int, detail: str, *, errors: Sequence[Mapping[str, str]] = (), headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """A problem response; `errors` name fields, as `{"field", "message"}`."""
    body: dict[str, Any] = {
        "type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail,
    }  # fmt: skip
    if errors:
        body["errors"] = list(errors)
    return JSONResponse(body, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(UnknownTag, _unprocessable_tag)
    app.add_exception_handler(UnknownConversation, _missing)
    app.add_exception_handler(NoSuchArticle, _missing)
    app.add_exception_handler(RecursionError, _nested)
    app.add_exception_handler(Exception, _unexpected)


def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    errors = [{"field": _field(e["loc"]), "message": str(e["msg"])} for e in error.errors()]
    fields = ", ".join(dict.fromkeys(e["field"] for e in errors))
    return problem(422, f"The request is not valid: see {fields}.", errors=errors)


def _field(location: Sequence[object]) -> str:
    return ".".join(str(part) for part in location if part not in ("body", "query", "path")) or "body"


def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, str(error.detail), headers=error.headers)


def _unprocessable_tag(request: Request, error: Exception) -> JSONResponse:
    return problem(422, str(error), errors=[{"field": "tags", "message": str(error)}])


def _missing(request: Request, error: Exception) -> JSONResponse:
    return problem(404, str(error))


def _nested(request: Request, error: Exception) -> JSONResponse:
    return problem(400, "The request body is nested too deeply.")


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    log.error("unexpected error", exc_info=error)
    return problem(500, "Something went wrong on our side; it has been logged. Please try again.")
