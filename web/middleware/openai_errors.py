"""Errors in the shape from which the official client of OpenAI makes exceptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

_CODES = {
    401: "invalid_api_key",
    403: "permission_denied",
    413: "request_too_large",
    429: "rate_limit_exceeded",
    503: "overloaded",
}
_NOTHING = "There is nothing here: POST /v1/chat/completions answers, GET /v1/models lists its models."
_TYPES = {403: "permission_error", 429: "rate_limit_error"}


class ErrorOut(BaseModel):
    message: str
    type: str
    param: str | None
    code: str | None


class ErrorsOut(BaseModel):
    error: ErrorOut


class Refusal(Exception):
    """A request that cannot be answered: the status, what to do, and the parameter it is about."""

    def __init__(self, status: int, message: str, param: str | None, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.param = param
        self.code = code


def failure(
    status: int, detail: str, errors: Sequence[Mapping[str, str]] = (), headers: Mapping[str, str] | None = None
) -> Response:
    """An error response; `errors` name fields, as `{"field", "message"}`. What is not valid is 400 here, never 422."""
    if status == 404 and detail == HTTPStatus.NOT_FOUND.phrase:
        detail = _NOTHING
    message = "; ".join(f"{error['field']}: {_plain(error['message'])}" for error in errors[:3]) or detail
    param = errors[0]["field"] if errors else None
    status = 400 if status == 422 else status
    return _response(document(status, message, param), status, headers)


def refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return _response(document(error.status, str(error), error.param, error.code), error.status)


def document(status: int, message: str, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    """The error as an object."""
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    error = ErrorOut(
        message=_encodable(message), type=kind, param=param and _encodable(param), code=code or _CODES.get(status)
    )
    return ErrorsOut(error=error).model_dump()


def _response(document: dict[str, Any], status: int, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse(document, status, headers=dict(headers or {}))


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ")


def _encodable(text: str) -> str:
    """The name of an unknown parameter may be no Unicode."""
    return text.encode("utf-8", "replace").decode()
