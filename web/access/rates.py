"""Rate limits: how often one caller may ask, read, or be wrong about a key, by sliding windows in bounded memory.

What is left is told in the fields of draft-ietf-httpapi-ratelimit-headers-10, `RateLimit-Policy` and `RateLimit`.
"""

from __future__ import annotations

import ipaddress
import logging
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from limits import RateLimitItem, parse
from limits.strategies import SlidingWindowCounterRateLimiter

from web.access.rate_storage import CounterStorage
from web.errors import SharedUnavailable
from web.shared_state import Shared, SharedCounters

log = logging.getLogger(__name__)

RateKind: TypeAlias = Literal["ask", "read", "failure"]

_MOST = 20_000  # counters of one kind of caller, about two each: about 3 MB
_SITE = 64  # bits of an IPv6 address: whoever has one has all that begin like it (RFC 6177)


@dataclass(frozen=True, slots=True)
class Allowance:
    """Whether a caller may go on, and the fields that tell how far."""

    granted: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)


UNLIMITED = Allowance()


class Rates:
    """Counts what callers do, in all processes together. Safe to call from many threads.

    A limit is one rate or several, like "20/second 120/minute": the second bounds how much, the first how much at once,
    which is what keeps others waiting. "" is no limit.
    """

    def __init__(self, ask: str = "", read: str = "", failure: str = "", shared: Shared | None = None) -> None:
        """`failure`: of keys that are wrong. `shared`: where it is counted, None: in this process alone."""
        limits: dict[RateKind, str] = {"ask": ask, "read": read, "failure": failure}
        self._rates = {act: [parse(rate) for rate in limit.split()] for act, limit in limits.items()}
        shared = shared or Shared()
        # Apart, so that strangers, of whom there is no end, never make those forgotten who are known.
        self._known = _Limiter(SharedCounters(shared, "known", _MOST))
        self._strangers = _Limiter(SharedCounters(shared, "strangers", _MOST))

    def of_principal(self, id: str, act: RateKind) -> Allowance:
        """Count an act of a principal who is known."""
        return self._count(self._known, id, act)

    def of_address(self, address: str, act: RateKind) -> Allowance:
        """Count an act of somebody unknown at a network address."""
        return self._count(self._strangers, _site(address), act)

    def _count(self, limiter: _Limiter, who: str, act: RateKind) -> Allowance:
        rates = self._rates[act]
        if not rates:
            return UNLIMITED
        try:
            spent, left = limiter.count(rates, act, who)
        except SharedUnavailable as error:  # nobody is kept from the answers by what only counts them
            log.error("Requests cannot be counted, so no limit holds: %s", error)
            return UNLIMITED
        waits = [wait for (_, wait), over in zip(left, spent, strict=True) if over]
        return Allowance(not waits, {**_told(act, rates, left), **({"retry-after": str(max(waits))} if waits else {})})


class _Limiter:
    """Counts by several rates at once: what one of them refuses, none counts."""

    def __init__(self, counters: SharedCounters) -> None:
        self._counters = counters
        self._windows = SlidingWindowCounterRateLimiter(CounterStorage(counters))

    def count(
        self, rates: Sequence[RateLimitItem], act: RateKind, who: str
    ) -> tuple[list[bool], list[tuple[int, int]]]:
        """Of each rate: whether it is used up; how often more, and in how many seconds more often."""
        with self._counters.transaction():
            spent = [not self._windows.test(rate, act, who) for rate in rates]
            if not any(spent):
                for rate in rates:
                    self._windows.hit(rate, act, who)
            return spent, [self._left(rate, act, who) for rate in rates]

    def _left(self, rate: RateLimitItem, act: RateKind, who: str) -> tuple[int, int]:
        reset, remaining = self._windows.get_window_stats(rate, act, who)
        # A window that was used up at once frees its first place a share of the window after it has slid on.
        return remaining, max(1, math.ceil(reset - time.time() + rate.get_expiry() / rate.amount))


def _told(act: RateKind, rates: Sequence[RateLimitItem], left: Sequence[tuple[int, int]]) -> dict[str, str]:
    names = [f'"{act}-{rate.GRANULARITY.name}"' for rate in rates]
    policies = [f"{name};q={rate.amount};w={rate.get_expiry()}" for name, rate in zip(names, rates, strict=True)]
    limits = [f"{name};r={remaining};t={wait}" for name, (remaining, wait) in zip(names, left, strict=True)]
    return {"ratelimit-policy": ", ".join(policies), "ratelimit": ", ".join(limits)}


def _site(address: str) -> str:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ip) if ip.version == 4 else str(ipaddress.ip_network((ip, _SITE), strict=False))
