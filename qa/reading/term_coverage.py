"""How much of a question's terms a text covers, rare terms counting more."""

from __future__ import annotations

from collections.abc import Mapping, Set

from indexes.search.analysis import informative_terms
from qa.corpus import Vocabulary


def term_weights(question: str, vocabulary: Vocabulary) -> dict[str, float]:
    """The informative terms of a question, each with its rarity."""
    return {term: vocabulary.rarity(term) for term in informative_terms(question)}


def covered(weights: Mapping[str, float], words: Set[str], others: Set[str] = frozenset()) -> float:
    """The weighted share of the question's terms among `words` and `others`; 0 for a question without any."""
    total = sum(weights.values())
    if not total:
        return 0.0
    return sum([weight for term, weight in weights.items() if term in words or term in others]) / total
