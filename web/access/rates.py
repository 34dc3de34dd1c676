"""How often may one caller ask, read, or be wrong about a key? A sliding window for each, in bounded memory.

What is left is told in the fields of draft-ietf-httpapi-ratelimit-headers-10, `RateLimit-Policy` and `RateLimit`.
"""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

Act: TypeAlias = Literal["ask", "read", "failure"]

_MOST = 20_000  # counters of one kind of caller, two each: about 5 MB
_SITE = 64  # bits of an IPv6 address: whoever has one has all that begin like it (RFC 6177)


@dataclass(frozen=True, slots=True)
class Allowance:
    """Whether a caller may go on, and the fields that tell how far."""

    granted: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)


UNLIMITED = Allowance()


class Rates:
    """Counts what callers do. Safe to call from many threads.

    A limit is one rate or several, like "20/second 120/minute": the second bounds how much, the first how much at once,
    which is what keeps others waiting. "" is no limit.
    """

    def __init__(self, ask: str = "", read: str = "", failure: str = "") -> None:
        """`failure`: of keys that are wrong."""
        limits: dict[Act, str] = {"ask": ask, "read": read, "failure": failure}
        self._rates = {act: [parse(rate) for rate in limit.split()] for act, limit in limits.items()}
        self._lock = threading.Lock()
        # Apart, so that strangers, of whom there is no end, never make those forgotten who are known.
        self._known = SlidingWindowCounterRateLimiter(_Bounded())
        self._strangers = SlidingWindowCounterRateLimiter(_Bounded())

    def of_principal(self, id: str, act: Act) -> Allowance:
        """Count an act of a principal who is known."""
        return self._count(self._known, id, act)

    def of_address(self, address: str, act: Act) -> Allowance:
        """Count an act of somebody unknown at a network address."""
        return self._count(self._strangers, _site(address), act)

    def _count(self, limiter: SlidingWindowCounterRateLimiter, who: str, act: Act) -> Allowance:
        rates = self._rates[act]
        if not rates:
            return UNLIMITED
        with self._lock:
            spent = [not limiter.test(rate, act, who) for rate in rates]
            if not any(spent):  # what is refused does not count
                for rate in rates:
                    limiter.hit(rate, act, who)
            left = [_left(limiter, rate, act, who) for rate in rates]
        waits = [wait for (_, wait), over in zip(left, spent, strict=True) if over]
        return Allowance(not waits, {**_told(act, rates, left), **({"retry-after": str(max(waits))} if waits else {})})


def _left(limiter: SlidingWindowCounterRateLimiter, rate: RateLimitItem, act: Act, who: str) -> tuple[int, int]:
    """How often more, and in how many seconds more often."""
    reset, remaining = limiter.get_window_stats(rate, act, who)
    # A window that was used up at once frees its first place a share of the window after it has slid on.
    return remaining, max(1, math.ceil(reset - time.time() + rate.get_expiry() / rate.amount))


def _told(act: Act, rates: Sequence[RateLimitItem], left: Sequence[tuple[int, int]]) -> dict[str, str]:
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


class _Bounded(MemoryStorage):
    """Counters of which the oldest make room. MemoryStorage keeps all, and sweeps them in a thread after every hit."""

    STORAGE_SCHEME = ["bounded-memory"]

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        count = self.get(key) + amount
        if key not in self.storage:
            while len(self.storage) >= _MOST:
                self.clear(next(iter(self.storage)))
            self.expirations[key] = time.time() + expiry
        self.storage[key] = count
        return count
