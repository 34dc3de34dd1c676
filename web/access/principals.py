"""Who asks, what may they do, and which articles are there for them? The one place that decides it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, get_args

from fastapi import Depends
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from indexes.types import Viewer
from web.access.keys import Scope

SCOPES: frozenset[Scope] = frozenset(get_args(Scope))
CHALLENGE = 'Bearer realm="Footnote"'  # RFC 6750, 3

_SIGN_IN = "Sign in at /sign-in, or send an API key: `Authorization: Bearer fn_…`. `footnote keys create` makes one."


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever sent a request. `id` is "" for somebody unknown, else "key:<id>", "user:<name>" or the like."""

    id: str
    scopes: frozenset[Scope]
    viewer: Viewer


def principal_of(connection: HTTPConnection) -> Principal:
    """Who sent a request, as `web.middleware.authentication` found out."""
    principal: Principal = connection.scope["visitor"].principal
    return principal


def needs(scope: Scope, *or_else: Scope) -> Callable[[HTTPConnection], Awaitable[Principal]]:
    """A dependency: the principal, who has one of the scopes. Answers 401 to somebody unknown who has none, 403 to one
    known.
    """

    # Not a plain `def`: that would cost every request a change of threads.
    async def allowed(connection: HTTPConnection) -> Principal:
        principal = principal_of(connection)
        if not principal.scopes.isdisjoint((scope, *or_else)):
            return principal
        if principal.id:
            challenge = f'{CHALLENGE}, error="insufficient_scope", scope="{scope}"'
            raise HTTPException(403, _REFUSED[scope], {"www-authenticate": challenge})
        raise HTTPException(401, f"{_REFUSED[scope]} {_SIGN_IN}", {"www-authenticate": CHALLENGE})

    return allowed


_REFUSED: dict[Scope, str] = {
    "ask": "You may not ask here.",
    "read": "You may not read here.",
    "feedback": "You may not give feedback here.",
    "admin": "This holds what people ask: it is for the keepers of the knowledge base alone.",
}

Asking = Annotated[Principal, Depends(needs("ask"))]
Reading = Annotated[Principal, Depends(needs("read"))]
AskingOrReading = Annotated[Principal, Depends(needs("ask", "read"))]
Judging = Annotated[Principal, Depends(needs("feedback"))]
Keeping = Annotated[Principal, Depends(needs("admin"))]
