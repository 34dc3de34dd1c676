"""Metrics against an independent implementation, and by hand where there is none."""

from __future__ import annotations

import random

import ir_measures
import pytest
from ir_measures import RR, R, Success, nDCG

from qa.evaluation import metrics

JUDGED = {"a": 2, "b": 1, "c": 0, "z": 1}


def test_ndcg_is_one_for_the_ideal_order_and_uses_linear_gain() -> None:
    assert metrics.ndcg(["a", "b", "z", "c"], JUDGED, 10) == pytest.approx(1.0)
    assert metrics.ndcg(["b", "a", "z"], JUDGED, 10) == pytest.approx(
        (1 + 2 / 1.5849625 + 0.5) / (2 + 1 / 1.5849625 + 0.5)
    )


def test_recall_counts_only_documents_with_gain() -> None:
    assert metrics.recall(["a", "c", "x"], JUDGED, 3) == pytest.approx(1 / 3)


def test_reciprocal_rank_stops_at_its_depth() -> None:
    assert metrics.reciprocal_rank(["c", "x", "b"], JUDGED, 10) == pytest.approx(1 / 3)
    assert metrics.reciprocal_rank(["c", "x", "b"], JUDGED, 2) == 0.0


def test_ranking_metrics_equal_those_of_ir_measures_on_many_rankings() -> None:
    source = random.Random(7)
    documents = [f"d{n}" for n in range(30)]
    judged = {f"q{q}": {d: source.choice([0, 1, 1, 2]) for d in source.sample(documents, 6)} for q in range(50)}
    for judgements in judged.values():
        judgements["d0"] = 1  # at least one relevant document a query
    rankings = {query: source.sample(documents, 15) for query in judged}
    run = {q: {d: float(-rank) for rank, d in enumerate(ranking)} for q, ranking in rankings.items()}
    measures = {nDCG @ 10: "ndcg@10", R @ 5: "recall@5", R @ 10: "recall@10", RR @ 10: "mrr@10", Success @ 5: "hit@5"}
    expected = ir_measures.calc_aggregate(measures, judged, run)
    for measure, name in measures.items():
        compute, depth = metrics.RANKING[name]
        ours = metrics.mean([compute(rankings[q], judged[q], depth) for q in judged])
        assert ours == pytest.approx(expected[measure], abs=1e-9), name


def test_auroc_counts_ties_as_half() -> None:
    assert metrics.auroc([0.9, 0.5], [0.5, 0.1]) == pytest.approx((1 + 1 + 0.5 + 1) / 4)
    assert metrics.auroc([0.9], []) is None


def test_percentiles_are_values_that_occurred() -> None:
    assert metrics.percentile([5, 1, 4, 2, 3], 0.5) == 3
    assert metrics.percentile([5, 1, 4, 2, 3], 0.95) == 5
    assert metrics.percentile([], 0.5) == 0


def test_a_paired_bootstrap_of_equal_runs_has_no_difference() -> None:
    same = metrics.paired_bootstrap([0.1, 0.9, 0.4], [0.1, 0.9, 0.4])
    assert (same.difference, same.low, same.high) == (0, 0, 0)


def test_a_paired_bootstrap_of_a_consistent_gain_excludes_zero() -> None:
    first = [n / 100 for n in range(60)]
    gain = metrics.paired_bootstrap(first, [value + 0.05 + (n % 3) / 100 for n, value in enumerate(first)])
    assert 0 < gain.low < gain.difference < gain.high
