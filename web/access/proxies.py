"""Knows the proxies in front of the server, and reads for whom they speak."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from starlette.datastructures import Headers

from web.settings import Network

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_FORWARDING = ("forwarded", "x-forwarded-for", "x-real-ip", "via", "x-forwarded-host", "x-forwarded-proto")
_LONGEST_USER = 200


def address(text: str) -> Address | None:
    """The address written down, with or without a port; None for anything else. IPv4 inside IPv6 becomes IPv4."""
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        parsed = ipaddress.ip_address(host)
    except ValueError:
        return None
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, ipaddress.IPv6Address) else parsed


def is_loopback(host: str) -> bool:
    parsed = address(host)
    return parsed is not None and parsed.is_loopback


def is_forwarded(headers: Headers) -> bool:
    """Whether it says that somebody passed it on."""
    return any(name in headers for name in _FORWARDING)


@dataclass(frozen=True, slots=True)
class Proxies:
    """Who may speak for others: `trusted` networks, and the headers in which they name a user and the user's groups."""

    trusted: tuple[Network, ...] = ()
    user_header: str = ""
    groups_header: str = ""

    def trust(self, host: str) -> bool:
        parsed = address(host)
        return parsed is not None and any(parsed in network for network in self.trusted)

    def client(self, peer: str, headers: Headers) -> str:
        """The address a request came from: the last of those forwarded that is no trusted proxy's own.

        Whatever stands before it, the client may have written.
        """
        client = peer
        for part in reversed(",".join(headers.getlist("x-forwarded-for")).split(",")):
            if not self.trust(client):
                break
            forwarded = address(part)
            if forwarded is None:
                break
            client = str(forwarded)
        return client

    def scheme(self, headers: Headers, otherwise: str) -> str:
        """How the client reached the proxy."""
        told = headers.get("x-forwarded-proto", "").strip().lower()
        return told if told in ("http", "https") else otherwise

    def user(self, headers: Headers) -> str:
        """The user a proxy names; "" where it names none, or several: then one is the client's own invention."""
        names = headers.getlist(self.user_header) if self.user_header else []
        name = names[0].strip() if len(names) == 1 else ""
        return name if len(name) <= _LONGEST_USER and name.isprintable() else ""

    def groups(self, headers: Headers) -> frozenset[str]:
        """The groups a proxy names, separated by commas."""
        lists: Sequence[str] = headers.getlist(self.groups_header) if self.groups_header else []
        return frozenset(group.strip() for group in ",".join(lists).split(",") if group.strip())
