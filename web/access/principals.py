"""Who sent a request, what they may do, and which articles are there for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from indexes.types import Viewer
from web.access.keys import Scope

SCOPES: frozenset[Scope] = frozenset(get_args(Scope))
CHALLENGE = 'Bearer realm="Footnote"'  # RFC 6750, 3

_SIGN_IN = "Sign in at /sign-in, or send an API key: `Authorization: Bearer fn_…`. `footnote keys create` makes one."
_REFUSED: dict[Scope, str] = {
    "ask": "You may not ask here.",
    "read": "You may not read here.",
    "feedback": "You may not give feedback here.",
    "admin": "This holds what people ask: it is for the keepers of the knowledge base alone.",
}


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


def require(principal: Principal, scopes: Sequence[Scope]) -> None:
    """Raises HTTPException where a principal has none of the scopes: 401 for somebody unknown, 403 for one known."""
    if not principal.scopes.isdisjoint(scopes):
        return
    needed = scopes[0]
    if principal.id:
        challenge = f'{CHALLENGE}, error="insufficient_scope", scope="{needed}"'
        raise HTTPException(403, _REFUSED[needed], {"www-authenticate": challenge})
    raise HTTPException(401, f"{_REFUSED[needed]} {_SIGN_IN}", {"www-authenticate": CHALLENGE})
