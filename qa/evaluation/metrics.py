"""Ranking and abstention metrics. Pure functions; linear gain, as `trec_eval` and `ir-measures` have it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

_RESAMPLES = 10_000
_RUN = 3  # words
_WORD = re.compile(r"\w+")


def ndcg(ranking: Sequence[str], judged: Mapping[str, int], depth: int) -> float:
    """Normalised discounted cumulative gain at `depth` (Järvelin and Kekäläinen, 2002), linear gain, log2(rank + 1)."""
    gains = [judged.get(document, 0) for document in ranking[:depth]]
    ideal = sorted((gain for gain in judged.values() if gain > 0), reverse=True)[:depth]
    best = _discounted(ideal)
    return _discounted(gains) / best if best else 0.0


def recall(ranking: Sequence[str], judged: Mapping[str, int], depth: int) -> float:
    """The share of relevant documents among the first `depth`."""
    relevant = {document for document, gain in judged.items() if gain > 0}
    return len(relevant.intersection(ranking[:depth])) / len(relevant) if relevant else 0.0


def reciprocal_rank(ranking: Sequence[str], judged: Mapping[str, int], depth: int) -> float:
    """1 / rank of the first relevant document, 0 if none is among the first `depth`."""
    for rank, document in enumerate(ranking[:depth], start=1):
        if judged.get(document, 0) > 0:
            return 1 / rank
    return 0.0


def hit(ranking: Sequence[str], judged: Mapping[str, int], depth: int) -> float:
    """1 if a relevant document is among the first `depth`, else 0."""
    return 1.0 if reciprocal_rank(ranking, judged, depth) else 0.0


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float | None:
    """The probability that a positive scores above a negative (ties count half); None where one kind is missing.

    The Mann–Whitney statistic by ranks.
    """
    if not positive or not negative:
        return None
    wins = sum((p > n) + 0.5 * (p == n) for p in positive for n in negative)
    return wins / (len(positive) * len(negative))


def holds(texts: Iterable[str], words: Sequence[str]) -> bool:
    """Whether some of `texts` hold together at least half of `words`: verbatim passages, compared by runs of three
    words, so that a cut at another place counts for what it keeps."""
    wanted = {run for passage in words for run in _runs(passage)}
    held = {run for text in texts for run in _runs(text)}
    return bool(wanted) and 2 * len(wanted & held) >= len(wanted)


def _runs(text: str) -> Iterator[tuple[str, ...]]:
    words = _WORD.findall(text.casefold())
    return (tuple(words[i : i + _RUN]) for i in range(max(1, len(words) - _RUN + 1)))


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile; 0 for no values."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean of `second - first` over the same queries, with a 95 % confidence interval."""

    first: float
    second: float
    difference: float
    low: float
    high: float
    queries: int


def paired_bootstrap(first: Sequence[float], second: Sequence[float], seed: int = 0) -> Difference:
    """Paired bootstrap over queries (Sakai, SIGIR 2006): resample the differences, take the middle 95 %."""
    differences = [b - a for a, b in zip(first, second, strict=True)]
    random = Random(seed)
    means = sorted(
        mean(random.choices(differences, k=len(differences))) for _ in range(_RESAMPLES if differences else 1)
    )
    low, high = means[int(0.025 * len(means))], means[min(len(means) - 1, int(0.975 * len(means)))]
    return Difference(mean(first), mean(second), mean(differences), low, high, len(differences))


Metric = Callable[[Sequence[str], Mapping[str, int], int], float]
RANKING: Mapping[str, tuple[Metric, int]] = {
    "ndcg@10": (ndcg, 10),
    "recall@5": (recall, 5),
    "recall@10": (recall, 10),
    "mrr@10": (reciprocal_rank, 10),
    "hit@5": (hit, 5),
}


def _discounted(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))
