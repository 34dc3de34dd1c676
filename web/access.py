"""Who asks, what may they do, and which articles are there for them? The one place that decides it."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias, get_args

from fastapi import Depends
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from indexes.types import ANYONE, Reader

Scope: TypeAlias = Literal["ask", "read", "feedback", "admin"]
SCOPES: frozenset[Scope] = frozenset(get_args(Scope))

_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever sent a request. `id` is "" for somebody unknown."""

    id: str
    scopes: frozenset[Scope]
    reader: Reader


def principal_of(connection: HTTPConnection) -> Principal:
    """There are no keys yet: whoever sits at the machine itself keeps it. A proxy's visitors come from elsewhere."""
    host = connection.client.host if connection.client else ""
    keeps = _is_loopback(host) and not any(name in connection.headers for name in _FORWARDED)
    return Principal("", SCOPES if keeps else SCOPES - {"admin"}, ANYONE)


def needs(scope: Scope) -> Callable[[HTTPConnection], Awaitable[Principal]]:
    """A dependency: the principal, who has `scope`. Answers 403 to one who has not."""

    # Not a plain `def`: that would cost every request a change of threads.
    async def allowed(connection: HTTPConnection) -> Principal:
        principal = principal_of(connection)
        if scope not in principal.scopes:
            raise HTTPException(403, _REFUSED[scope])
        return principal

    return allowed


_REFUSED: dict[Scope, str] = {
    "ask": "You may not ask here.",
    "read": "You may not read here.",
    "feedback": "You may not give feedback here.",
    "admin": "Insights hold people's questions: they are open on the machine that serves them alone, at its "
    "address 127.0.0.1.",
}

Asking = Annotated[Principal, Depends(needs("ask"))]
Reading = Annotated[Principal, Depends(needs("read"))]
Judging = Annotated[Principal, Depends(needs("feedback"))]
Keeping = Annotated[Principal, Depends(needs("admin"))]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
