"""The measurements of one side of the comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Run:
    """A command from its start to its end."""

    seconds: float
    cpu: float  # seconds, of all cores
    peak: float  # MB of resident memory


@dataclass(frozen=True, slots=True)
class Bare:
    """The model alone over Footnote's chunks."""

    chunks: int
    seconds: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Result:
    """One side of the comparison."""

    name: str
    chunks: int
    ingest: Run
    again: Run
    one: Run
    questions: Sequence[float]  # seconds each
    first: float  # seconds from the start of a process to its first answer

    def percentile(self, share: float) -> float:
        """Of the warm questions, in milliseconds."""
        ordered = sorted(self.questions[1:])
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000
