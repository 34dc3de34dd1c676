"""Whether the corpus holds enough to answer a question: a confidence from evidence that a person can follow."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass

from indexes.search.analysis import informative_terms
from qa.reading.question_form import is_closed, is_particular
from qa.reading.reading import SearchedQuestion

_LONG = 10  # informative words from which a question counts as fully specified
_NAMES = 2.0  # unknown names from which more say no more
_SMALL_INDEX = 1_000  # chunks up to which the size of the index is not counted
_TYPICAL_SIMILARITY = 0.55  # stands in where the vectors are unavailable
# Fitted by `python -m benchmarks.fit_evidence`: docs/decisions/evidence.md
_INTERCEPT = -8.32
_SLOPES = (10.13, 8.02, 4.66, -0.95, -3.07, -2.19, -0.36)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for an answer, and what against one."""

    similarity: float  # cosine of the question as asked to the chunk closest to it
    matched: float  # best keyword score, as a share of what a chunk full of the question's words would have; 0 to 1
    detail: float  # how much the standalone question says, 0 to 1: a long one is harder to match
    closed: float  # 1 for a question that wants a yes or a no, else 0
    particular: float  # 1 for a question for a person, a date, a price or the state of things now, else 0
    unknown: float  # how many of its names occur in no article, two at most
    size: float  # how many e-folds the index is larger than 1,000 chunks: among more chunks, chance finds closer ones

    @property
    def confidence(self) -> float:
        """The fitted probability that the knowledge base answers the question."""
        z = _INTERCEPT + sum(slope * value for slope, value in zip(_SLOPES, astuple(self), strict=True))
        return 1 / (1 + math.exp(-z))


NO_EVIDENCE = Evidence(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def weigh(question: SearchedQuestion) -> Evidence:
    """Weigh what was found for a question."""
    retrieved = question.retrieved
    if not retrieved.passages:
        return NO_EVIDENCE
    return Evidence(
        similarity=_TYPICAL_SIMILARITY if retrieved.similarity is None else retrieved.similarity,
        matched=retrieved.matched,
        detail=min(1.0, len(informative_terms(question.standalone.text)) / _LONG),
        closed=float(is_closed(question.text)),
        particular=float(is_particular(question.text)),
        unknown=min(_NAMES, float(len(question.unknown))),
        size=math.log(max(1.0, question.chunk_count / _SMALL_INDEX)),
    )
