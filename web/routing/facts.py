"""The facts of a route, declared beside its path: who may call it, what a call costs, how its errors are told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

from fastapi import Depends
from starlette.requests import HTTPConnection
from starlette.types import Scope as Connection

from web.access.keys import Scope
from web.access.principals import Principal, principal_of, require
from web.access.rates import RateKind

# "constant" takes no turn and is served however much is asked; "answers" costs about as much as an answer.
Cost: TypeAlias = Literal["constant", "reads", "answers", "tries a key"]
# "page": an HTML page for a browser that asks for one, else problem+json.
ErrorShape: TypeAlias = Literal["page", "problem", "openai"]
# "ignored": nobody is asked who they are, and nothing is counted; "optional": a bad key is taken for none.
Credentials: TypeAlias = Literal["ignored", "optional", "checked"]

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

_FACTS = "route_facts"  # name of the attribute
_RATES: dict[Cost, RateKind] = {"constant": "read", "reads": "read", "answers": "ask", "tries a key": "failure"}


@dataclass(frozen=True, slots=True)
class RouteFacts:
    """`scopes`: one of them is needed; `widgets`: whether other sites may call it from the widget that they embed.

    `documented` is whether the route is in the OpenAPI document, as its `include_in_schema` says.
    """

    scopes: tuple[Scope, ...] = ()
    cost: Cost = "reads"
    errors: ErrorShape = "page"
    credentials: Credentials = "checked"
    widgets: bool = False
    documented: bool = False

    @property
    def rate(self) -> RateKind:
        """The limit that a call counts towards."""
        return _RATES[self.cost]

    @property
    def takes_turn(self) -> bool:
        return self.cost != "constant"


def declare(
    *scopes: Scope,
    cost: Cost = "reads",
    errors: ErrorShape = "page",
    credentials: Credentials = "checked",
    widgets: bool = False,
) -> Callable[[Endpoint], Endpoint]:
    """Decorates an endpoint of FastAPI with its facts. One that needs a scope takes a `PrincipalDep`."""
    facts = RouteFacts(scopes, cost, errors, credentials, widgets)

    def decorate(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _FACTS, facts)
        return endpoint

    return decorate


def declared(endpoint: object) -> RouteFacts | None:
    """The facts of an endpoint; None where it declares none."""
    facts: RouteFacts | None = getattr(endpoint, _FACTS, None)
    return facts


def facts_of(scope: Connection) -> RouteFacts:
    """The facts of what a request asks for, as `web.middleware.route_lookup` found them."""
    facts: RouteFacts = scope["facts"]
    return facts


# Not a plain `def`: that would cost every request a change of threads.
async def permitted(connection: HTTPConnection) -> Principal:
    """Who sent a request. Raises HTTPException for whoever has none of the scopes that the endpoint needs.

    It asks the endpoint itself, so that nothing depends on what was looked up before routing.
    """
    principal, facts = principal_of(connection), declared(connection.scope["endpoint"])
    if facts is None:
        raise LookupError("An endpoint that takes a principal declares which scopes it needs.")
    require(principal, facts.scopes)
    return principal


PrincipalDep = Annotated[Principal, Depends(permitted)]
