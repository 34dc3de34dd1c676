"""BM25: scores worked out by hand, filters inside the search, files that say the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from indexes.search.analysis import informative_terms
from indexes.search.keywords import KeywordIndex
from indexes.search.postings import Postings
from indexes.search.row_map import RowMap
from indexes.types import Hit

TEXTS = ["cache cache token", "token", "cache lane road bridge"]

# k1 = 1.2, b = 0.75; 3 texts of 3, 1 and 4 terms: mean length 8/3.
# Both "cache" and "token" are in 2 of 3 texts: idf = ln(1 + (3 - 2 + 0.5) / (2 + 0.5)) = ln 1.6 = 0.470004.
# "lane" is in 1: ln(1 + 2.5 / 1.5) = 0.980829.
# Length norms 1.2 * (0.25 + 0.75 * length / (8/3)): 1.3125 for 3 terms, 0.6375 for 1, 1.65 for 4.
CACHE_IN_0 = 0.470004 * 2 / (2 + 1.3125)  # 0.283777
CACHE_IN_2 = 0.470004 * 1 / (1 + 1.65)  # 0.177360
TOKEN_IN_0 = 0.470004 * 1 / (1 + 1.3125)  # 0.203245
TOKEN_IN_1 = 0.470004 * 1 / (1 + 0.6375)  # 0.287026
LANE_IN_2 = 0.980829 * 1 / (1 + 1.65)  # 0.370124


def search(index: KeywordIndex, question: str, limit: int = 10, mask: list[bool] | None = None) -> list[Hit]:
    allowed = None if mask is None else np.array(mask)
    return index.search(dict.fromkeys(informative_terms(question), 1.0), limit, allowed)


def expect(hits: list[Hit], *expected: tuple[int, float]) -> None:
    assert [hit.chunk for hit in hits] == [chunk for chunk, _ in expected]
    assert [hit.score for hit in hits] == pytest.approx([score for _, score in expected], abs=1e-5)


def test_scores_are_those_worked_out_by_hand() -> None:
    index = KeywordIndex.build(TEXTS)
    expect(search(index, "cache"), (0, CACHE_IN_0), (2, CACHE_IN_2))
    expect(search(index, "token"), (1, TOKEN_IN_1), (0, TOKEN_IN_0))
    expect(search(index, "lane cache"), (2, LANE_IN_2 + CACHE_IN_2), (0, CACHE_IN_0))
    expect(search(index, "token cache"), (0, TOKEN_IN_0 + CACHE_IN_0), (1, TOKEN_IN_1), (2, CACHE_IN_2))


def test_weights_of_terms_multiply_their_scores() -> None:
    hits = KeywordIndex.build(TEXTS).search({"token": 1.0, "lane": 0.5}, 10)
    expect(hits, (1, TOKEN_IN_1), (0, TOKEN_IN_0), (2, LANE_IN_2 / 2))


def test_no_score_exceeds_what_is_attainable() -> None:
    index = KeywordIndex.build(["cache " * 1_000 + "token", "token", "lane"])
    weights = {"cach": 1.0, "token": 0.5, "unseen": 2.0}
    scores = index.scores(weights)
    assert index.attainable(weights) == pytest.approx(0.980829 + 0.5 * 0.470004 + 2 * 2.079442, abs=1e-5)
    assert 0 < max(scores) < index.attainable(weights)
    assert index.attainable({}) == 0
    assert scores.shape == (3,)


def test_rare_terms_are_worth_more_and_unseen_ones_most() -> None:
    index = KeywordIndex.build(TEXTS)
    assert index.rarity("cach") == pytest.approx(0.470004, abs=1e-5)
    assert index.rarity("lane") == pytest.approx(0.980829, abs=1e-5)
    assert index.rarity("unseen") == pytest.approx(2.079442, abs=1e-5)  # ln(1 + 3.5 / 0.5)


def test_equal_scores_keep_the_order_of_the_articles() -> None:
    expect(search(KeywordIndex.build(["same text"] * 3), "text", limit=2), (0, 0.060696), (1, 0.060696))


def test_the_limit_keeps_the_best() -> None:
    texts = ["cache " + "other " * n for n in (5, 3, 0, 4, 1, 2)]
    assert [hit.chunk for hit in search(KeywordIndex.build(texts), "cache", limit=3)] == [2, 4, 5]


def test_a_filter_returns_matches_even_when_all_top_hits_are_filtered_away() -> None:
    texts = ["cache cache cache"] * 20 + ["a word about the cache among many other words here"]
    index = KeywordIndex.build(texts)
    assert 20 not in [hit.chunk for hit in search(index, "cache", limit=5)]
    assert [hit.chunk for hit in search(index, "cache", limit=5, mask=[False] * 20 + [True])] == [20]


def test_a_filter_changes_no_score() -> None:
    expect(search(KeywordIndex.build(TEXTS), "cache", mask=[False, True, True]), (2, CACHE_IN_2))


@pytest.mark.parametrize("question", ["", "what is this?", "unseen", "🙂"])
def test_a_question_that_matches_nothing_has_no_hits(question: str) -> None:
    assert search(KeywordIndex.build(TEXTS), question) == []


def test_names_with_punctuation_and_camel_case_are_told_apart() -> None:
    index = KeywordIndex.build(
        ["We write C++ here.", "We write C# on .NET here.", "Set maxLifetime.", "See net c here."]
    )
    assert [hit.chunk for hit in search(index, "C++")] == [0]
    assert [hit.chunk for hit in search(index, ".NET")] == [1]
    assert [hit.chunk for hit in search(index, "max lifetime")] == [2]
    assert [hit.chunk for hit in search(index, "maxlifetime")] == [2]


@pytest.mark.parametrize("texts", [TEXTS, ["🙂"], ["Ключ 令牌 naïve"], []], ids=["words", "no word", "scripts", "none"])
def test_a_saved_index_answers_as_the_built_one(tmp_path: Path, texts: list[str]) -> None:
    built = KeywordIndex.build(texts)
    Postings.build(texts).save(tmp_path)
    opened = KeywordIndex(Postings.open(tmp_path), RowMap(len(texts)))
    for question in ("cache token", "令牌", "naïve ключ"):
        assert search(opened, question) == search(built, question)
