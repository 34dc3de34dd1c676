"""Finds the facts of the route that a request will take, before it is routed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import Mount, Route, compile_path

from web.routing.facts import RouteFacts, declared, permitted

_OTHER = RouteFacts()


@dataclass(frozen=True, slots=True)
class DeclaredRoute:
    """A route and its facts; `methods` is empty where it takes all."""

    path: str
    methods: frozenset[str]
    facts: RouteFacts
    pattern: re.Pattern[str]

    @property
    def first(self) -> str:
        return _first(self.path)

    def takes(self, method: str, path: str) -> bool:
        return (not self.methods or method in self.methods) and self.pattern.match(path) is not None


class RouteTable:
    """Facts by method and path.

    What is no route has those facts on which all routes agree that begin with the same segment, so that an error under
    /api is told like any other error there.
    """

    def __init__(self, routes: Iterable[DeclaredRoute]) -> None:
        self.routes = tuple(routes)
        self._fixed = {(m, r.path): r.facts for r in self.routes if "{" not in r.path for m in r.methods}
        self._patterns: dict[str, list[DeclaredRoute]] = {}
        beneath: dict[str, list[RouteFacts]] = {}
        for route in self.routes:
            beneath.setdefault(route.first, []).append(route.facts)
            if "{" in route.path or not route.methods:
                self._patterns.setdefault(route.first, []).append(route)
        self._beneath = {first: _common(facts) for first, facts in beneath.items()}

    @classmethod
    def of(cls, routes: Iterable[Route | Mount], others: Mapping[str, RouteFacts]) -> RouteTable:
        """The table of FastAPI's routes, which declare their facts, and of `others` by their path.

        Raises ValueError for a route that declares nothing.
        """
        return cls(_declared(route, others) for route in routes)

    def find(self, method: str, path: str) -> RouteFacts:
        """The facts of what is asked for. HEAD is answered as GET is."""
        method = "GET" if method == "HEAD" else method
        path = path.removesuffix("\n")  # which the `$` of a route's pattern passes over
        if facts := self._fixed.get((method, path)):
            return facts
        first = _first(path)
        for route in self._patterns.get(first, ()):
            if route.takes(method, path):
                return route.facts
        return self._beneath.get(first, _OTHER)


def _declared(route: Route | Mount, others: Mapping[str, RouteFacts]) -> DeclaredRoute:
    facts = declared(route.endpoint) if isinstance(route, APIRoute) else others.get(route.path)
    if facts is None:
        raise ValueError(f"The route {route.path} declares nothing: decorate its endpoint with `declare`.")
    if isinstance(route, APIRoute) and bool(facts.scopes) != _asks_who(route.dependant):
        raise ValueError(f"The route {route.path} needs a scope and takes no PrincipalDep, or the other way round.")
    if isinstance(route, Mount):
        return DeclaredRoute(route.path, frozenset(), facts, route.path_regex)
    facts = replace(facts, documented=route.include_in_schema)
    return DeclaredRoute(route.path, frozenset(route.methods or ()), facts, compile_path(route.path)[0])


def _asks_who(dependant: Dependant) -> bool:
    """Whether a route depends on `permitted`, which enforces the scopes that it declares."""
    return dependant.call is permitted or any(_asks_who(inner) for inner in dependant.dependencies)


def _first(path: str) -> str:
    """The first segment of a path."""
    return path[1:].partition("/")[0]


def _common(facts: Collection[RouteFacts]) -> RouteFacts:
    """What of the facts of routes is true of what is no route beside them."""
    shared = next(iter(facts))
    if any(other.errors != shared.errors for other in facts):
        raise ValueError("Routes whose paths begin with the same segment tell errors in one shape.")
    return RouteFacts(
        cost="constant" if not any(other.takes_turn for other in facts) else _OTHER.cost,
        errors=shared.errors,
        credentials=shared.credentials if len({other.credentials for other in facts}) == 1 else _OTHER.credentials,
        documented=all(other.documented for other in facts),
    )
