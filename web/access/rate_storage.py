"""The counters of all processes as a storage of `limits`."""

from __future__ import annotations

import time
from math import floor

from limits.storage import SlidingWindowCounterSupport, Storage
from limits.storage.base import TimestampedSlidingWindow

from web.errors import SharedUnavailable
from web.shared_state import SharedCounters


class CounterStorage(Storage, SlidingWindowCounterSupport, TimestampedSlidingWindow):
    """Fixed windows, and sliding windows by the weighted counters of this window and the one before.

    `limits` has none for several processes on one machine without a server of their own (Redis, Memcached, MongoDB).
    """

    STORAGE_SCHEME = ["footnote"]  # under which the base class registers it

    def __init__(self, counters: SharedCounters) -> None:
        super().__init__()
        self._counters = counters

    @property
    def base_exceptions(self) -> type[Exception]:
        return SharedUnavailable

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        return self._counters.add(key, amount, expiry)

    def get(self, key: str) -> int:
        return self._counters.get(key)

    def get_expiry(self, key: str) -> float:
        return self._counters.expiry(key)

    def check(self) -> bool:
        with self._counters.transaction():
            return True

    def reset(self) -> int:
        return self._counters.clear()

    def clear(self, key: str) -> None:
        self._counters.remove(key)

    def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        with self._counters.transaction():
            previous, previous_left, current, _ = self.get_sliding_window(key, expiry)
            if floor(previous * previous_left / expiry + current) + amount > limit:
                return False
            # Twice: the counter of this window is still weighed throughout the next.
            self.incr(self.sliding_window_keys(key, expiry, time.time())[1], 2 * expiry, amount)
            return True

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        now = time.time()
        previous, current = (self.get(window) for window in self.sliding_window_keys(key, expiry, now))
        left = expiry - now % expiry  # seconds of this window, for which the one before is weighed, too
        return previous, left if previous else 0.0, current, left + expiry

    def clear_sliding_window(self, key: str, expiry: int) -> None:
        for window in self.sliding_window_keys(key, expiry, time.time()):
            self.clear(window)
