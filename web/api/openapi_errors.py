"""Adds the errors that any route may give, and the keys it takes, to the OpenAPI document.

They come from what all routes have in common (`web.middleware`), so they are written down once and for all of them.
A route adds its own with `responses={404: {"description": …}}`.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeAlias

from fastapi import FastAPI

from web.access.policy import COOKIE
from web.middleware.problems import MEDIA_TYPE
from web.routing.facts import RouteFacts
from web.routing.table import RouteTable

Schema: TypeAlias = dict[str, Any]

_NO_KEY, _NOT_HERE, _OFTEN, _BUSY = 401, 421, 429, 503
_WHY = {
    400: "The body cannot be read.",
    401: "A key is needed, or the one that was sent is no good.",
    403: "The key has no scope for this, or another site sent the request.",
    404: "There is none, or it is somebody else's.",
    413: "The body is too large.",
    421: "This server answers to another host name.",
    422: "The request is not valid: `errors` names the fields.",
    429: "This is asked too often.",
    503: "More is asked than can be answered, or a part is unavailable.",
}
_HEADERS: dict[int, Schema] = {
    _NO_KEY: {"WWW-Authenticate": {"required": True, "schema": {"type": "string"}}},
    _OFTEN: {"Retry-After": {"required": True, "schema": {"type": "integer", "minimum": 0}}},
    _BUSY: {"Retry-After": {"required": True, "schema": {"type": "integer", "minimum": 0}}},
}
_REQUEST_ID: Schema = {
    "description": "names the request in the log; one that was sent is kept",
    "required": True,
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._~+/=:-]{1,64}$"},
}
_PROBLEM: Schema = {
    "title": "Problem",
    "description": "RFC 9457",
    "type": "object",
    "required": ["type", "title", "status", "detail", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
_SECURITY: Schema = {
    "key": {"type": "http", "scheme": "bearer", "description": "a key of `footnote keys create`"},
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "of a browser that signed in"},
}


def install(app: FastAPI, routes: RouteTable) -> None:
    """Have the app's OpenAPI document tell of errors and keys too."""
    plain: Callable[[], Schema] = app.openapi
    document: Schema = {}

    def openapi() -> Schema:
        if not document:
            document.update(_completed(plain(), routes))
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _completed(document: Schema, routes: RouteTable) -> Schema:
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):  # FastAPI's, which are never sent
        schemas.pop(name, None)
    schemas["Problem"] = _PROBLEM
    document["components"]["securitySchemes"] = _SECURITY
    document["components"]["headers"] = {"RequestId": _REQUEST_ID}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            _complete(operation, routes.find(method.upper(), path))  # a template is an address of its own route
    return document


def _complete(operation: Schema, facts: RouteFacts) -> None:
    responses: Schema = operation["responses"]
    if facts.credentials != "ignored":
        operation["security"] = [{"key": []}, {"session": []}, {}]
        for status in _possible(operation):
            if facts.errors != "openai":
                responses[str(status)] = _problem(status, responses.get(str(status), {}))
    for status_code, response in responses.items():
        headers = _HEADERS.get(int(status_code), {}) if status_code.isdigit() else {}
        response["headers"] = {
            **response.get("headers", {}),
            **headers,
            "X-Request-ID": {"$ref": "#/components/headers/RequestId"},
        }


def _possible(operation: Schema) -> list[int]:
    """The statuses of errors that may come."""
    parameters = operation.get("parameters", ())
    statuses = {401, 403, 421, 429, 503}
    if "requestBody" in operation:
        statuses |= {400, 413, 422}
    if parameters:
        statuses.add(422)
    if "404" in operation["responses"] or any(parameter["in"] == "path" for parameter in parameters):
        statuses.add(404)
    return sorted(statuses)


def _problem(status: int, own: Schema) -> Schema:
    description = own.get("description", "")
    is_default = description in ("", HTTPStatus(status).phrase, "Validation Error")
    return {
        "description": _WHY[status] if is_default else description,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
