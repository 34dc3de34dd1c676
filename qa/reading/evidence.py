"""Is there enough in the knowledge base to answer? A confidence from evidence a person can follow."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from indexes.search.analysis import informative_terms
from qa.retrieval import Retrieved

_LONG = 10  # informative words from which a question counts as fully specified
_NAMES = 2.0  # unknown names from which more say no more
_SMALL_INDEX = 1_000  # chunks up to which the size of the index is not counted
_TYPICAL_SIMILARITY = 0.55  # stands in where the vectors were unavailable
# Fitted by `python -m benchmarks.fit_evidence`: docs/decisions/evidence.md
_INTERCEPT = -8.32
_SLOPES = (10.13, 8.02, 4.66, -0.95, -3.07, -2.19, -0.36)
ENOUGH = 0.5  # an answer is given from this confidence on

# A question that wants a yes or a no: passages describe, they seldom confirm or deny.
_CLOSED = re.compile(
    r"^\W*(?:(?:so|but|and|ok|okay|also|then|well|hi|hello|btw|by the way)\b[\s,]*)*"
    r"(?:is|are|am|was|were|do|does|did|can|could|should|would|will|has|have)(?:n['’]t)?\b",
    re.IGNORECASE,
)


# A question for a fact of one moment: a person, a date, a price, how things stand now. Articles seldom hold those.
_PARTICULAR = re.compile(
    r"^\W*(?:(?:and|so|but|ok|hi|hey)\b[\s,]*)*(?:who|whose|whom)\b"
    r"|\bwhom? (?:is|are|was|do|does|did|approved|owns|chairs|leads|runs)\b"
    r"|\b(?:what|which) (?:date|day|office|vendor|account|region|city|person|customers?|clients?)\b"
    r"|\bwhen (?:was|did|is (?:the|our) (?:next|last))\b"
    r"|\b(?:right now|these days|at the moment|tonight|yesterday)\b"
    r"|\b(?:this|last|next) (?:week|weekend|month|quarter|sprint|release)\b"
    r"|\bhow much (?:do|did|does) (?:we|it|our)\b|\bwe (?:spend|pay|bill|charge)\b"
    r"|\b(?:phone number|password|budget|salary|day rate)\b",
    re.IGNORECASE,
)


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
        values = (
            self.similarity,
            self.matched,
            self.detail,
            self.closed,
            self.particular,
            self.unknown,
            self.size,
        )
        z = _INTERCEPT + sum(slope * value for slope, value in zip(_SLOPES, values, strict=True))
        return 1 / (1 + math.exp(-z))

    @property
    def enough(self) -> bool:
        return self.confidence >= ENOUGH


NOTHING = Evidence(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def weigh(asked: str, standalone: str, retrieved: Retrieved, chunks: int, unknown_names: int) -> Evidence:
    """Weigh what was found among `chunks` chunks for a question, as `asked` and made `standalone`."""
    if not retrieved.passages:
        return NOTHING
    return Evidence(
        similarity=_TYPICAL_SIMILARITY if retrieved.similarity is None else retrieved.similarity,
        matched=retrieved.matched,
        detail=min(1.0, len(informative_terms(standalone)) / _LONG),
        closed=float(bool(_CLOSED.match(asked))),
        particular=float(bool(_PARTICULAR.search(asked))),
        unknown=min(_NAMES, float(unknown_names)),
        size=math.log(max(1.0, chunks / _SMALL_INDEX)),
    )
