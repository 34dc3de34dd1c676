"""Times the stages of answering a question."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from qa.observing import Observer

Item = TypeVar("Item")


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
            self.record({name: time.perf_counter() - started})

    def each(self, name: str, items: Iterable[Item]) -> Iterator[Item]:
        """`items`, with the time it takes to make them counted as one stage; what is done with them is not."""
        iterator, seconds = iter(items), 0.0
        while True:
            started = time.perf_counter()
            try:
                item = next(iterator)
            except StopIteration:
                seconds += time.perf_counter() - started
                self.record({name: seconds})
                return
            seconds += time.perf_counter() - started
            yield item

    def record(self, spent: Mapping[str, float]) -> None:
        """Stages that were measured elsewhere, in seconds."""
        for name, seconds in spent.items():
            self.add({name: seconds * 1000})
            self._observer.stage(name, seconds)
