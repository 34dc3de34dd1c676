"""What was seen a short while ago: never work on one thing twice."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable


class Recent:
    """Remembers keys for some time, and at most so many: then the oldest is forgotten first. For one event loop."""

    def __init__(self, seconds: float, most: int = 20_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._seen: OrderedDict[str, float] = OrderedDict()

    def first(self, key: str) -> bool:
        """Whether `key` was not seen lately; from now on it was."""
        now = self._clock()
        while self._seen and (len(self._seen) > self._most or now - next(iter(self._seen.values())) > self._seconds):
            self._seen.popitem(last=False)
        if key in self._seen:
            return False
        self._seen[key] = now
        return True

    def forget(self, key: str) -> None:
        """As if `key` had never been seen."""
        self._seen.pop(key, None)

    def __len__(self) -> int:
        return len(self._seen)
