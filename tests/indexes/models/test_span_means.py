"""The vector of a span is the unit mean of the states of its tokens, in 8 bits."""

from __future__ import annotations

import numpy as np

from indexes.models.span_means import no_spans, span_means

# "[CLS] ab cd ef [SEP]": special tokens have no place in the text.
OFFSETS = [(0, 0), (0, 2), (3, 5), (6, 8), (0, 0)]
STATES = np.array([[9, 9], [2, 0], [0, 2], [-4, 0], [9, 9]], dtype=np.float32)
PASSAGE = np.array([0.6, 0.8], dtype=np.float32)
DIAGONAL = 90  # 127 times the root of a half


def means(*spans: tuple[int, int]) -> list[list[int]]:
    matrix = span_means(STATES, OFFSETS, spans, PASSAGE)
    return [[int(value) for value in row] for row in matrix]


def test_a_span_is_the_unit_mean_of_the_tokens_it_covers() -> None:
    assert means((0, 2), (0, 5), (3, 8)) == [[127, 0], [DIAGONAL, DIAGONAL], [-114, 57]]


def test_a_token_that_a_span_touches_belongs_to_it() -> None:
    assert means((1, 4)) == means((0, 5))
    assert means((2, 3), (2, 4)) == [*means((9, 20)), *means((3, 5))]


def test_a_span_without_a_token_gets_the_vector_of_the_passage() -> None:
    passage = [76, 102]
    assert means((8, 30), (100, 200), (2, 3), (0, 0), (4, 4)) == [passage] * 5


def test_states_that_cancel_out_have_no_direction() -> None:
    states = np.array([[1, 0], [-1, 0]], dtype=np.float32)
    assert span_means(states, [(0, 1), (1, 2)], [(0, 2)], PASSAGE).tolist() == [[0, 0]]


def test_no_spans_are_no_rows_and_a_model_without_states_gives_no_columns() -> None:
    assert span_means(STATES, OFFSETS, [], PASSAGE).shape == (0, 2)
    assert no_spans([(0, 2), (3, 5)]).shape == (2, 0)
