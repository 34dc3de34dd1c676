"""What is told of questions while they are answered, to whoever counts or traces it: times and kinds, never a word."""

from __future__ import annotations

from typing import Protocol

from qa.types import Answer


class Observer(Protocol):
    """Called from many threads, in the midst of the work: it must be quick, and must not raise."""

    def stage(self, name: str, seconds: float) -> None:
        """A stage of the work has just ended; it took `seconds`."""

    def vector(self, remembered: bool) -> None:
        """The vector of a question was needed: it was remembered, or embedded."""

    def answered(self, answer: Answer) -> None:
        """A question got an answer, or was declined."""


class Unobserved:
    """An observer that nobody listens to."""

    def stage(self, name: str, seconds: float) -> None:
        pass

    def vector(self, remembered: bool) -> None:
        pass

    def answered(self, answer: Answer) -> None:
        pass


UNOBSERVED = Unobserved()


class Observers:
    """Tells several observers, in their order."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def stage(self, name: str, seconds: float) -> None:
        for observer in self._observers:
            observer.stage(name, seconds)

    def vector(self, remembered: bool) -> None:
        for observer in self._observers:
            observer.vector(remembered)

    def answered(self, answer: Answer) -> None:
        for observer in self._observers:
            observer.answered(answer)
