"""Finds pairs of articles that say much the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from indexes.types import ArticleSummary, FloatMatrix

SIMILAR = 0.82  # cosine from which two articles say much the same: docs/decisions/content-gaps.md
_MOST_COMPARED = 10_000  # articles; each is compared with every other
_BLOCK = 1_000  # rows compared at once: 40 MB of cosines with 10,000 articles


@dataclass(frozen=True, slots=True)
class SimilarPair:
    one: ArticleSummary
    other: ArticleSummary
    similarity: float


def similar_pairs(
    listed: Sequence[ArticleSummary], vectors: FloatMatrix, least: float = SIMILAR
) -> tuple[SimilarPair, ...]:
    """Pairs with a cosine of at least `least`, most similar first. `vectors`: a unit row for each of `listed`.

    Of more than 10,000 articles only the first are compared: time grows with the square.
    """
    compared = np.asarray(vectors[:_MOST_COMPARED])
    pairs: list[SimilarPair] = []
    for start in range(0, len(compared), _BLOCK):
        block = compared[start : start + _BLOCK] @ compared.T
        for row, column in np.argwhere(block >= least).tolist():
            if start + row < column:
                pairs.append(SimilarPair(listed[start + row], listed[column], float(block[row, column])))
    return tuple(sorted(pairs, key=lambda pair: -pair.similarity))
