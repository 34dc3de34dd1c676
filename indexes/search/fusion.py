"""Keyword and vector scores of the same chunks into one. Pure functions over arrays.

A convex combination of scores, after Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval"
(ACM TOIS 2023). Rank fusion lost against it here: docs/decisions/fusion.md.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from indexes.types import Chunks

Scores: TypeAlias = npt.NDArray[np.float32]  # (candidates,)
AroundScores: TypeAlias = npt.NDArray[np.float32]  # (3, candidates): before, itself, after; NaN where the article ends


def blended(own: Scores, other: Scores, weight: float) -> Scores:
    """`own` with `weight` parts of `other` to its one."""
    return np.asarray((own + weight * other) / (1 + weight), dtype=np.float32)


def with_neighbours(around: AroundScores, weight: float) -> Scores:
    """Each chunk's own score blended with the mean over itself and its neighbours in the article.

    A chunk is cut from a longer train of thought: what stands before and after says what it is about.
    """
    present = ~np.isnan(around)
    mean = np.where(present, around, 0).sum(axis=0) / present.sum(axis=0)
    return blended(around[1], np.asarray(mean, dtype=np.float32), weight)


def convex(keyword: Scores, similarity: Scores, keyword_share: float) -> Scores:
    """`keyword_share` of the keyword scores (as shares of the best attainable) and the rest of the cosines."""
    return np.asarray(keyword_share * keyword + (1 - keyword_share) * similarity, dtype=np.float32)


def with_sibling_support(scores: Scores, articles: Chunks, weight: float) -> Scores:
    """Each score with `weight` parts of the best other score in its article: two passages say more than one.

    `articles` has the article of each candidate, shape (candidates,).
    """
    order = np.lexsort((-scores, articles))
    ordered, owners = scores[order], articles[order]
    first = np.concatenate(([True], owners[1:] != owners[:-1]))[: len(owners)]
    follows = np.concatenate((~first[1:], [False]))[: len(owners)]  # there is a second one in its article
    best_other = ordered[first][np.cumsum(first) - 1]
    best_other[first] = np.where(follows, np.append(ordered[1:], np.float32(0)), 0.0)[first]
    result = np.empty_like(scores)
    result[order] = ordered + np.float32(weight) * best_other
    return result
