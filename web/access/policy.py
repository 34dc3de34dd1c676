"""Decides who sent a request: keys first, then sessions, then what a proxy says, then where somebody sits."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from indexes.types import ANYONE, KEEPER, Viewer
from web.access.keys import EVERY_GROUP, KEY_START, Key, Keys, Scope
from web.access.principals import SCOPES, Principal
from web.access.proxies import Proxies, is_forwarded, is_loopback

Proof: TypeAlias = Literal["key", "session", "proxy", "local", "nothing"]

COOKIE = "__Host-footnote"  # browsers take it over HTTPS alone, and from no other host (RFC 6265bis, 4.1.3.2)
ASKER: frozenset[Scope] = SCOPES - {"admin"}


class Misdirected(Exception):
    """Somebody at the machine itself asks for a host that is not this one."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A principal, how they proved who they are, and their key if it was by one."""

    principal: Principal
    proof: Proof
    key: Key | None = None


NOBODY = Visitor(Principal("", frozenset(), ANYONE), "nothing")


@dataclass(frozen=True, slots=True)
class Policy:
    """`trust_local`: requests from this machine have every scope, but are in no group; `anybody`: what others may do
    without a key."""

    trust_local: bool
    anybody: frozenset[Scope] = frozenset()
    proxies: Proxies = field(default_factory=Proxies)

    @classmethod
    def of(cls, bound: str, public_url: str, anonymous: bool, proxies: Proxies) -> Policy:
        """The policy of a server bound to an address.

        One that others are told to come to, or that a proxy stands in front of, is no longer one person's own: a
        proxy on the machine would make everybody look as if they sat at it.
        """
        host = urlsplit(public_url).hostname
        own = is_loopback(bound) and (host is None or is_here(host)) and not proxies.trust(bound)
        return cls(own, ASKER if anonymous else frozenset(), proxies)

    @property
    def closed(self) -> bool:
        """Whether nobody gets in without a key."""
        return not (self.trust_local or self.anybody or self.proxies.user_header)

    def visitor(self, connection: HTTPConnection, keys: Keys) -> Visitor:
        """Who sent a request. Raises BadKey for a key or session that is not, or no longer, good: whoever presents one
        is never taken for somebody else. Raises Misdirected, KeysUnavailable.
        """
        headers = connection.headers
        peer = connection.client.host if connection.client else ""
        here = self.trust_local and is_loopback(peer) and not is_forwarded(headers)
        presented = bearer(headers.get("authorization", ""))
        # Clients of OpenAI's API insist on a key: where none is needed, people enter any word.
        if presented and (presented.startswith(KEY_START) or not here):
            return holder(keys.of(presented), "key")
        if token := connection.cookies.get(COOKIE):
            return holder(keys.of_session(token), "session")
        if self.proxies.trust(peer):
            user = self.proxies.user(headers)
            return self._user(user, self.proxies.groups(headers)) if user else self._anybody()
        if here:
            return self._at_the_machine(headers.get("host", ""))
        return self._anybody()

    def _at_the_machine(self, host: str) -> Visitor:
        # A page from elsewhere whose name was made to point here (DNS rebinding) still names itself as the host.
        if is_here(name_of(host)):
            # In no group: what is not for everyone takes a key, so that no program on the machine reads it by chance.
            return Visitor(Principal("", SCOPES, ANYONE), "local")
        if self.anybody:
            return self._anybody()
        raise Misdirected

    def _user(self, name: str, groups: frozenset[str]) -> Visitor:
        return Visitor(Principal(f"user:{name}", ASKER, Viewer(groups)), "proxy")

    def _anybody(self) -> Visitor:
        return Visitor(Principal("", self.anybody, ANYONE), "nothing")


def holder(key: Key, proof: Proof) -> Visitor:
    """Whoever holds a key."""
    viewer = KEEPER if EVERY_GROUP in key.groups else Viewer(frozenset(key.groups))
    return Visitor(Principal(f"key:{key.id}", frozenset(key.scopes), viewer), proof, key)


def bearer(authorization: str) -> str:
    """The credentials of a Bearer header (RFC 6750); "" where there are none."""
    scheme, _, credentials = authorization.strip().partition(" ")
    return credentials.strip() if scheme.lower() == "bearer" else ""


def name_of(host: str) -> str:
    """The name in a Host field, without the port; "" where it is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def is_here(host: str) -> bool:
    """Whether a name is that of the machine itself, and of no other."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
