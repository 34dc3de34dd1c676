"""What was seen a short while ago, by whichever process, so that nothing is done twice."""

from __future__ import annotations

import time
from collections.abc import Callable

from web.shared_state import Shared, SharedCounters


class Recent:
    """Remembers keys for some time, and at most so many: then the oldest is forgotten first."""

    def __init__(
        self, name: str, seconds: float, shared: Shared, most: int = 20_000, clock: Callable[[], float] = time.time
    ) -> None:
        """`name`: of what is remembered, the same in all processes."""
        self._seconds = seconds
        self._seen = SharedCounters(shared, name, most, clock)

    def first(self, key: str) -> bool:
        """Whether `key` was not seen lately; from now on it was."""
        return self._seen.add(key, 1, self._seconds) == 1

    def forget(self, key: str) -> None:
        """As if `key` had never been seen."""
        self._seen.remove(key)
