"""Reports timings and kinds of answers, never their text, to whoever counts or traces them."""

from __future__ import annotations

from typing import Protocol

from qa.types import Answer


class Observer(Protocol):
    """Called from many threads while questions are answered: methods must be quick and must not raise."""

    def stage(self, name: str, seconds: float) -> None:
        """A stage has just ended after `seconds`."""

    def vector(self, remembered: bool) -> None:
        """A question's vector was needed; `remembered`: it came from the cache and was not embedded."""

    def answered(self, answer: Answer) -> None:
        """A question was answered or declined."""


class Unobserved:
    """Ignores everything."""

    def stage(self, name: str, seconds: float) -> None:
        pass

    def vector(self, remembered: bool) -> None:
        pass

    def answered(self, answer: Answer) -> None:
        pass


UNOBSERVED = Unobserved()


class Observers:
    """Passes everything on to several observers, in order."""

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
