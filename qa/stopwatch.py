"""Times the stages of answering a question."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from qa.observing import Observer


class Stopwatch:
    """`spent`: milliseconds by stage, summed over the parts of a question."""

    def __init__(self, observer: Observer) -> None:
        self.spent: dict[str, float] = {}
        self._observer = observer

    def add(self, spent: Mapping[str, float]) -> None:
        for name, milliseconds in spent.items():
            self.spent[name] = self.spent.get(name, 0.0) + milliseconds

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            seconds = time.perf_counter() - started
            self.add({name: seconds * 1000})
            self._observer.stage(name, seconds)
