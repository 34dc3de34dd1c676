"""Vectors of spans from the token states of one reading of a passage.

A span is read in its passage, so that "it" in a sentence means what stands before; to embed each sentence alone would
cost a reading each, and not know.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from indexes.types import FloatVector, SpanMatrix

_SCALE = 127  # int8: a component of a unit vector of 384 is some 0.05, and rounded to 0.004


def span_means(
    states: npt.NDArray[np.float32],
    offsets: Sequence[tuple[int, int]],
    spans: Sequence[tuple[int, int]],
    passage: FloatVector,
) -> SpanMatrix:
    """127 times the unit mean of the states of the tokens that overlap each span, rounded; shape (spans, dimension).

    `states` has one row a token, shape (tokens, dimension); `offsets` and `spans` are in code points of one text, and
    special tokens have the offset (0, 0). A span without a token, such as one beyond what the model reads, gets the
    vector of the passage.
    """
    places = np.array(offsets, dtype=np.int64).reshape(-1, 2)
    first, last = _covered(places, np.array(spans, dtype=np.int64).reshape(-1, 2))
    sums = np.zeros((len(states) + 1, states.shape[1]), dtype=np.float32)
    np.cumsum(states, axis=0, out=sums[1:])
    totals = sums[last] - sums[first]
    lengths = np.linalg.norm(totals, axis=1, keepdims=True)
    units = np.where((first < last)[:, None], totals / np.maximum(lengths, 1e-12), passage)
    return np.asarray(np.rint(units * _SCALE), dtype=np.int8)


def no_spans(spans: Sequence[tuple[int, int]]) -> SpanMatrix:
    """What stands for the vectors of spans where a model has none: shape (spans, 0)."""
    return np.zeros((len(spans), 0), dtype=np.int8)


def _covered(places: npt.NDArray[np.int64], spans: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], ...]:
    """The first token of each span and the one after its last; equal where it has none. An empty span has none."""
    starts, ends = spans[:, :1], spans[:, 1:]
    inside = (places[:, 0] < ends) & (places[:, 1] > starts) & (starts < ends)  # (spans, tokens)
    first, last = inside.argmax(axis=1), inside.shape[1] - inside[:, ::-1].argmax(axis=1)
    return first, np.where(inside.any(axis=1), last, first)
