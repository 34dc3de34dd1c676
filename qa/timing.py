"""How long does each stage of an answer take?"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


class Stopwatch:
    """Milliseconds by stage, added up over the parts of a question."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}

    def add(self, spent: Mapping[str, float]) -> None:
        for name, milliseconds in spent.items():
            self.spent[name] = self.spent.get(name, 0.0) + milliseconds

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.add({name: (time.perf_counter() - started) * 1000})
