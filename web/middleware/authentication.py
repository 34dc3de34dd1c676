"""Lets requests in: finds out who sends each, refuses bad keys and forged requests, and counts the others."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime

from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.access.forgery import is_forged
from web.access.keys import Key
from web.access.policy import NOBODY, Misdirected, Visitor, bearer
from web.access.principals import CHALLENGE
from web.access.proxies import Proxies
from web.access.rates import UNLIMITED, Allowance
from web.access.rules import GONE, AccessRules
from web.errors import BadKey, KeysUnavailable
from web.middleware.problems import KEYS_UNAVAILABLE, failure
from web.routing.facts import facts_of

log = logging.getLogger(__name__)

_PRIVATE = {"cache-control": "private, no-cache"}  # what one may see is not there for another
_LATER = {"retry-after": "30"}
_NOT_HERE = (
    "This server answers to localhost and 127.0.0.1 here. For another name, set FOOTNOTE_PUBLIC_URL and make a key."
)


class _Refused(Exception):
    def __init__(self, status: int, detail: str, headers: Mapping[str, str]) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = headers


class Authentication:
    """ASGI middleware: tells the routes whose request it is (`web.access.principals.principal_of`), or refuses it.

    It stands before a body is read and a turn is waited for, so that what is refused costs next to nothing.
    """

    def __init__(self, app: ASGIApp, access_rules: AccessRules) -> None:
        self._app = app
        self._access_rules = access_rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or facts_of(scope).credentials == "ignored":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        address = _client(request, self._access_rules.policy.proxies)
        try:
            visitor, allowance = self._let_in(request, address)
        except _Refused as refused:
            answer = failure(request, refused.status, str(refused), headers=refused.headers)
            await answer(scope, receive, _adding(_PRIVATE, send))
            return
        if visitor.key:
            await self._note_use(visitor.key)
        scope["scheme"] = _scheme(request, self._access_rules.policy.proxies)
        scope["client"] = (address, request.client.port if request.client else 0)
        scope["visitor"] = visitor
        await self._app(scope, receive, _adding({**_PRIVATE, **allowance.headers}, send))

    def _let_in(self, request: Request, address: str) -> tuple[Visitor, Allowance]:
        visitor = self._visitor(request, address)
        widgets = self._access_rules.widgets if facts_of(request.scope).widgets else frozenset[str]()
        if is_forged(request.method, request.headers, visitor.proof, self._access_rules.own, widgets):
            raise _Refused(403, "This was sent by another site: open Footnote itself and try again there.", {})
        allowance = self._allowance(request, visitor, address)
        if not allowance.granted:
            raise _Refused(429, _often(allowance), allowance.headers)
        return visitor, allowance

    def _visitor(self, request: Request, address: str) -> Visitor:
        try:
            return self._access_rules.policy.visitor(request, self._access_rules.keys)
        except BadKey as error:
            if facts_of(request.scope).credentials == "optional":  # where one gets a better one
                return NOBODY
            raise self._refusal(error, request, address) from error
        except Misdirected as error:
            raise _Refused(421, _NOT_HERE, {}) from error
        except KeysUnavailable as error:
            log.error("%s", error)
            raise _Refused(503, KEYS_UNAVAILABLE, _LATER) from error

    def _refusal(self, error: BadKey, request: Request, address: str) -> _Refused:
        allowance = self._access_rules.rates.of_address(address, "failure")
        if not allowance.granted:
            return _Refused(429, _often(allowance), allowance.headers)
        if bearer(request.headers.get("authorization", "")):
            return _Refused(401, str(error), {"www-authenticate": f'{CHALLENGE}, error="invalid_token"'})
        return _Refused(401, str(error), {"www-authenticate": CHALLENGE, "set-cookie": GONE})

    def _allowance(self, request: Request, visitor: Visitor, address: str) -> Allowance:
        """Counts the request. Whoever sits at the machine has no limit."""
        if visitor.proof == "local":
            return UNLIMITED
        rates, kind, id = self._access_rules.rates, facts_of(request.scope).rate, visitor.principal.id
        by_address = kind == "failure" or not id
        return rates.of_address(address, kind) if by_address else rates.of_principal(id, kind)

    async def _note_use(self, key: Key) -> None:
        if not key.use_is_old(datetime.now(UTC)):
            return
        try:
            await run_in_threadpool(self._access_rules.keys.note_use, key)
        except KeysUnavailable as error:  # it can be used all the same
            log.warning("The use of a key was not noted: %s", error)


def _client(request: Request, proxies: Proxies) -> str:
    peer = request.client.host if request.client else ""
    return proxies.client(peer, request.headers)


def _scheme(request: Request, proxies: Proxies) -> str:
    scheme: str = request.scope["scheme"]
    trusted = request.client is not None and proxies.trust(request.client.host)
    return proxies.scheme(request.headers, scheme) if trusted else scheme


def _often(allowance: Allowance) -> str:
    return f"This is asked too often: please try again in {allowance.headers['retry-after']} seconds."


def _adding(headers: Mapping[str, str], send: Send) -> Send:
    """`send`, which adds those of `headers` that a response has not."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = MutableHeaders(scope=message)
            for name, value in headers.items():
                own.setdefault(name, value)
        await send(message)

    return sending
