"""The counters of all processes count as the memory storage of `limits` does, whichever of its strategies asks."""

from __future__ import annotations

import time

import pytest
from limits import RateLimitItem, RateLimitItemPerMonth
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, RateLimiter, SlidingWindowCounterRateLimiter

from web.access.rate_storage import CounterStorage
from web.errors import SharedUnavailable
from web.shared_state import Shared, SharedCounters

RATE = RateLimitItemPerMonth(10)  # so long that no test is at the end of one
KEY, WINDOW = RATE.key_for("ask", "key:one"), RATE.get_expiry()


@pytest.fixture
def storage() -> CounterStorage:
    return CounterStorage(SharedCounters(Shared(), "counted", 100))


def course(windows: RateLimiter, rate: RateLimitItem) -> list[tuple[bool, bool, int, int]]:
    """Of twelve acts: whether it would be and is granted, how often more, and in which hour more often."""
    acts = []
    for _ in range(12):
        tested, hit = windows.test(rate, "ask", "key:one"), windows.hit(rate, "ask", "key:one")
        reset, remaining = windows.get_window_stats(rate, "ask", "key:one")
        acts.append((tested, hit, remaining, round(reset / 3_600)))
    return acts


@pytest.mark.parametrize("strategy", [SlidingWindowCounterRateLimiter, FixedWindowRateLimiter])
@pytest.mark.parametrize("before", [0, 4, 10])
def test_it_grants_and_tells_what_the_memory_storage_does(
    storage: CounterStorage, strategy: type[RateLimiter], before: int
) -> None:
    memory = MemoryStorage()
    if before:  # acts in the window before this one
        for counted in (storage, memory):
            counted.incr(counted.sliding_window_keys(KEY, WINDOW, time.time())[0], 2 * WINDOW, before)
    acts = course(strategy(storage), RATE)
    assert acts == course(strategy(memory), RATE)
    assert [hit for _, hit, _, _ in acts].count(True) in range(1, 11)


@pytest.mark.parametrize("strategy", [SlidingWindowCounterRateLimiter, FixedWindowRateLimiter])
def test_what_is_cleared_begins_anew(storage: CounterStorage, strategy: type[RateLimiter]) -> None:
    windows = strategy(storage)
    first = course(windows, RATE)
    windows.clear(RATE, "ask", "key:one")
    assert course(windows, RATE) == first
    assert storage.reset() == 1
    assert course(windows, RATE) == first


def test_it_says_when_it_cannot_count() -> None:
    shared = Shared()
    storage = CounterStorage(SharedCounters(shared, "counted", 100))
    assert storage.check()
    shared.close()
    with pytest.raises(SharedUnavailable, match="start the server anew"):
        storage.check()
