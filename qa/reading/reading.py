"""What a scorer makes of the passages found for a question: which answer, with which spans, or that none does."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from indexes.types import Quotable
from qa.corpus import Vocabulary
from qa.retrieval import Retrieved
from qa.types import Passage, Standalone

# Of the probability that some passage answers; chosen on held-out questions: docs/decisions/reading.md
ENOUGH = 0.45  # from which an answer is given
CLOSE = 0.1  # from which the closest passages are shown, without a word that they answer


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
class ReadPassage:
    """A passage with the probability that it answers and, for each of its quotables, that it is what answers in it.

    `spans` is empty for a passage too far back to be quoted.
    """

    passage: Passage
    probability: float
    spans: tuple[float, ...] = ()

    @property
    def quotables(self) -> tuple[Quotable, ...]:
        return self.passage.quotables


@dataclass(frozen=True, slots=True)
class Reading:
    """The passages that were read, best first, and what speaks for an answer.

    `confidence` is the calibrated probability that the article of the first passage is the one that answers; `none` the
    probability that no passage does; `signals` are figures behind them, by name, for evaluation.
    """

    passages: tuple[ReadPassage, ...]
    none: float
    confidence: float
    signals: Mapping[str, float] = field(default_factory=dict)

    @property
    def enough(self) -> bool:
        """Whether to answer from these passages."""
        return 1 - self.none >= ENOUGH

    @property
    def close(self) -> bool:
        """Whether these passages are worth showing, even if they may not answer."""
        return 1 - self.none >= CLOSE

    def within(self, chunks: Collection[int]) -> Reading:
        """The same reading of the passages with these chunk numbers alone."""
        return replace(self, passages=tuple(read for read in self.passages if read.passage.chunk in chunks))


NOTHING_READ = Reading((), 1.0, 0.0)
