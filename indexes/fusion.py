"""Rank fusion: several rankings of the same chunks into one. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from indexes.types import Hit

# Cormack, Clarke and Büttcher (SIGIR 2009) found 60 to work across collections.
RRF_K = 60


def reciprocal_rank_fusion(rankings: Iterable[tuple[Sequence[Hit], float]], k: int = RRF_K) -> list[Hit]:
    """Fuse weighted rankings by Σ weight / (k + rank), ranks from 1; ties go to the lower chunk number."""
    scores: dict[int, float] = {}
    for hits, weight in rankings:
        for rank, hit in enumerate(hits, start=1):
            scores[hit.chunk] = scores.get(hit.chunk, 0.0) + weight / (k + rank)
    fused = [Hit(chunk, score) for chunk, score in scores.items()]
    return sorted(fused, key=lambda hit: (-hit.score, hit.chunk))
