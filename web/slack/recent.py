"""What was seen a short while ago, by whichever process: never work on one thing twice."""

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
        self._shared = shared
        self._seen = SharedCounters(shared, name, most, clock)

    def first(self, key: str) -> bool:
        """Whether `key` was not seen lately; from now on it was."""
        with self._shared.transaction() as db:
            if self._seen.get(db, key):
                return False
            self._seen.add(db, key, 1, self._seconds)
            return True

    def forget(self, key: str) -> None:
        """As if `key` had never been seen."""
        with self._shared.transaction() as db:
            self._seen.remove(db, key)
