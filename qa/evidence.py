"""Is there enough in the passages to answer? A confidence from evidence a person can follow."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass

from indexes.analysis import informative_terms, terms
from qa.retrieving import Retrieved
from qa.types import Passage

_WEIGHED = 3  # passages an answer draws on
# Fitted by `python -m benchmarks.fit_evidence`: docs/decisions/evidence.md
_INTERCEPT = -6.2
_SLOPES = (8.0, 2.2, 1.5, 0.6)
_TYPICAL_SIMILARITY = 0.45  # stands in where the vectors were unavailable
ENOUGH = 0.5  # an answer is given from this confidence on


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for an answer, each from 0 to 1 (`similarity` may be slightly negative)."""

    similarity: float  # cosine of the question to the closest passage
    coverage: float  # share of the question's informative words in the best single passage, rare words counting more
    joint_coverage: float  # the same over the first passages together
    agreement: float  # whether keywords and vectors put the same passage near the top

    @property
    def confidence(self) -> float:
        """The fitted probability that an answer from these passages is right."""
        z = _INTERCEPT + sum(slope * value for slope, value in zip(_SLOPES, astuple(self), strict=True))
        return 1 / (1 + math.exp(-z))

    @property
    def enough(self) -> bool:
        return self.confidence >= ENOUGH


def weigh(question: str, retrieved: Retrieved, rarity: Callable[[str], float]) -> Evidence:
    """Weigh the first passages against `question`; `rarity` is a term's inverse document frequency."""
    first = retrieved.passages[:_WEIGHED]
    if not first:
        return Evidence(0.0, 0.0, 0.0, 0.0)
    weights = {term: rarity(term) for term in informative_terms(question)}
    found = [set(terms(f"{p.context} {p.text}")) for p in first]
    return Evidence(
        similarity=_similarity(first),
        coverage=max(covered(weights, words) for words in found),
        joint_coverage=covered(weights, set.union(*found)),
        agreement=_agreement(retrieved),
    )


def covered(weights: dict[str, float], words: set[str]) -> float:
    """The weighted share of the question's terms among `words`; 0 for a question without any."""
    total = sum(weights.values())
    return sum(weight for term, weight in weights.items() if term in words) / total if total else 0.0


def _similarity(passages: Sequence[Passage]) -> float:
    known = [p.similarity for p in passages if p.similarity is not None]
    return max(known) if known else _TYPICAL_SIMILARITY


def _agreement(retrieved: Retrieved) -> float:
    """1 where the first passage is in the first three of both rankings, 0.5 where in the first ten."""
    best = retrieved.passages[0].chunk
    if best in retrieved.keyword_best[:3] and best in retrieved.vector_best[:3]:
        return 1.0
    return 0.5 if best in retrieved.keyword_best and best in retrieved.vector_best else 0.0
