"""What a scorer makes of the passages found for a question: how well each quotable answers, and whether any does."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from indexes.types import QuotableKind
from qa.corpus import Vocabulary
from qa.retrieval import Retrieved
from qa.types import Passage, Standalone

ENOUGH = 0.5  # confidence from which an answer is given


@dataclass(frozen=True, slots=True)
class SearchedQuestion:
    """One thing that is asked, a whole question or a part of it, and what was found for it."""

    text: str  # as asked
    standalone: Standalone
    retrieved: Retrieved
    unknown: tuple[str, ...]  # names in it that no article mentions
    vocabulary: Vocabulary
    chunk_count: int  # of the corpus


@dataclass(frozen=True, slots=True)
class ScoredSpan:
    """A quotable of a passage, `passage.quotables[index]`, with its score: comparable within one reading."""

    passage: Passage
    index: int
    score: float

    @property
    def kind(self) -> QuotableKind:
        return self.passage.quotables[self.index].kind

    @property
    def start(self) -> int:
        return self.passage.quotables[self.index].start

    @property
    def end(self) -> int:
        return self.passage.quotables[self.index].end


@dataclass(frozen=True, slots=True)
class Reading:
    """The score of every quotable that may be quoted, best first, and of "none of them answers".

    `signals` are the figures behind the confidence, by name, for evaluation.
    """

    spans: tuple[ScoredSpan, ...]
    none: float  # probability that none of them answers, 0 to 1
    signals: Mapping[str, float] = field(default_factory=dict)

    @property
    def confidence(self) -> float:
        """The probability that the passages answer the question."""
        return 1 - self.none

    @property
    def enough(self) -> bool:
        """Whether to answer from these passages."""
        return self.confidence >= ENOUGH

    def within(self, chunks: Collection[int]) -> Reading:
        """The same reading of the passages with these chunk numbers alone."""
        return replace(self, spans=tuple(span for span in self.spans if span.passage.chunk in chunks))


NOTHING_READ = Reading((), 1.0)
