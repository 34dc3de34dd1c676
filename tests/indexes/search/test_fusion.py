from __future__ import annotations

import numpy as np
import pytest

from indexes.search.fusion import convex, with_neighbours, with_sibling_support

NONE = np.nan  # no chunk before the first or after the last of an article


def around(*rows: list[float]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.array(rows, dtype=np.float32)


def test_a_chunk_between_good_neighbours_beats_an_equal_one_between_poor_ones() -> None:
    before, own, after = [0.9, 0.1], [0.5, 0.5], [0.7, 0.1]
    first, second = with_neighbours(around(before, own, after), 1.0)
    assert first == pytest.approx((0.5 + (0.9 + 0.5 + 0.7) / 3) / 2)
    assert first > second


def test_an_article_of_one_chunk_keeps_its_own_score() -> None:
    assert with_neighbours(around([NONE], [0.4], [NONE]), 1.0) == pytest.approx([0.4])


def test_neighbours_of_no_weight_change_nothing() -> None:
    assert with_neighbours(around([0.9], [0.4], [0.9]), 0.0) == pytest.approx([0.4])


def test_the_keyword_share_decides_how_much_keywords_count() -> None:
    keyword, similarity = np.array([1.0, 0.0], np.float32), np.array([0.2, 0.6], np.float32)
    assert convex(keyword, similarity, 0.5) == pytest.approx([0.6, 0.3])
    assert convex(keyword, similarity, 0.0) == pytest.approx(similarity)
    assert convex(keyword, similarity, 1.0) == pytest.approx(keyword)


def test_the_best_other_chunk_of_an_article_supports_each_of_its_chunks() -> None:
    scores, articles = np.array([0.5, 0.9, 0.6, 0.7, 0.1], np.float32), np.array([7, 3, 7, 7, 5])
    # Article 7 holds 0.7, 0.6 and 0.5: the best is supported by 0.6, the others by 0.7. 3 and 5 have one chunk each.
    expected = [0.5 + 0.2 * 0.7, 0.9, 0.6 + 0.2 * 0.7, 0.7 + 0.2 * 0.6, 0.1]
    assert with_sibling_support(scores, articles, 0.2) == pytest.approx(expected)
    assert with_sibling_support(scores, articles, 0.0) == pytest.approx(scores)


def test_no_candidates_have_no_scores() -> None:
    assert len(with_sibling_support(np.zeros(0, np.float32), np.zeros(0, np.int64), 0.2)) == 0
