"""Is there enough in the passages to answer? A confidence from evidence a person can follow."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass

from indexes.analysis import informative_terms, terms
from qa.retrieving import Retrieved
from qa.types import Passage

_WEIGHED = 3  # passages an answer draws on
_LONG = 10  # informative words from which a question counts as fully specified
# Fitted by `python -m benchmarks.fit_evidence`: docs/decisions/evidence.md
_INTERCEPT = -9.12
_SLOPES = (8.85, 2.83, 4.57, 5.97)
_TYPICAL_SIMILARITY = 0.45  # stands in where the vectors were unavailable
ENOUGH = 0.5  # an answer is given from this confidence on


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for an answer, each from 0 to 1 (`similarity` may be slightly negative)."""

    similarity: float  # cosine of the question to the closest of the first passages
    coverage: float  # share of the question's informative words found in them, rare words counting more
    subject: float  # the same share in their titles, tags, summaries and headings: what they are about
    detail: float  # how much the question says: a long one is harder to cover, so its coverage means more

    @property
    def confidence(self) -> float:
        """The fitted probability that an answer from these passages is right."""
        z = _INTERCEPT + sum(slope * value for slope, value in zip(_SLOPES, astuple(self), strict=True))
        return 1 / (1 + math.exp(-z))

    @property
    def enough(self) -> bool:
        return self.confidence >= ENOUGH


NOTHING = Evidence(0.0, 0.0, 0.0, 0.0)


def weigh(asked: str, standalone: str, retrieved: Retrieved, rarity: Callable[[str], float]) -> Evidence:
    """Weigh the first passages against a question, as `asked` and made `standalone`.

    `rarity` is a term's inverse document frequency.
    """
    first = retrieved.passages[:_WEIGHED]
    if not first:
        return NOTHING
    weights = {term: rarity(term) for term in informative_terms(standalone)}
    found = {term for passage in first for term in terms(f"{passage.context} {passage.text}")}
    subjects = {term for passage in first for term in terms(_about(passage))}
    return Evidence(_similarity(first), covered(weights, found), covered(weights, subjects), _detail(asked))


def covered(weights: dict[str, float], words: set[str]) -> float:
    """The weighted share of the question's terms among `words`; 0 for a question without any."""
    total = sum(weights.values())
    return sum(weight for term, weight in weights.items() if term in words) / total if total else 0.0


def _about(passage: Passage) -> str:
    return " ".join([passage.context, passage.article.summary, *passage.article.tags])


def _detail(asked: str) -> float:
    return min(1.0, len(informative_terms(asked)) / _LONG)


def _similarity(passages: Sequence[Passage]) -> float:
    known = [p.similarity for p in passages if p.similarity is not None]
    return max(known) if known else _TYPICAL_SIMILARITY
