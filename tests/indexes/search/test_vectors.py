"""FAISS against plain numpy, on real embeddings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from indexes.models.embedding import Embedder
from indexes.search.flat import FlatVectors
from indexes.search.ivf import IvfIndex
from indexes.search.row_map import RowMap
from indexes.search.vectors import VectorIndex
from indexes.types import FloatMatrix

SENTENCES = [
    "A refresh token is exchanged for a new one every time it is used.",
    "An access token lives for ten minutes.",
    "Revoke the whole token family when reuse is detected.",
    "A canary release sends five percent of the traffic to the new version.",
    "Roll back the deployment with one command.",
    "An ETag lets a client revalidate a cached response cheaply.",
    "Write one JSON object per log line.",
    "A client retries an idempotent request at most three times.",
    "Exponential backoff with full jitter spreads retries out.",
    "The circuit breaker opens after five failures.",
]
QUESTIONS = ["How long does a token live?", "How do I undo a release?", "What is logged?"]


@pytest.fixture(scope="module")
def vectors(embedder: Embedder) -> FloatMatrix:
    return embedder.embed_passages(SENTENCES)


def flat(vectors: FloatMatrix) -> FlatVectors:
    return FlatVectors.build([vectors], *vectors.shape)


def test_a_search_agrees_with_brute_force(vectors: FloatMatrix, embedder: Embedder) -> None:
    index = VectorIndex.build(vectors)
    for question in QUESTIONS:
        vector = embedder.embed_question(question)[0]
        scores = vectors @ vector
        hits = index.search(vector, 4)
        assert [hit.chunk for hit in hits] == np.argsort(-scores)[:4].tolist()
        assert [hit.score for hit in hits] == pytest.approx(np.sort(scores)[::-1][:4].tolist(), abs=1e-5)


def test_a_filtered_search_agrees_with_brute_force_over_what_is_allowed(
    vectors: FloatMatrix, embedder: Embedder
) -> None:
    index = VectorIndex.build(vectors)
    mask = np.array([place % 3 == 0 for place in range(len(SENTENCES))])
    for question in QUESTIONS:
        vector = embedder.embed_question(question)[0]
        scores = np.where(mask, vectors @ vector, -2.0)
        assert [hit.chunk for hit in index.search(vector, 4, mask)] == np.argsort(-scores)[:4].tolist()


def test_a_filter_never_makes_results_short_while_there_are_matches(vectors: FloatMatrix, embedder: Embedder) -> None:
    index = VectorIndex.build(vectors)
    vector = embedder.embed_question(QUESTIONS[0])[0]
    far_to_near = np.argsort(vectors @ vector)
    for allowed in range(1, len(SENTENCES) + 1):
        mask = np.zeros(len(SENTENCES), dtype=np.bool_)
        mask[far_to_near[:allowed]] = True
        hits = index.search(vector, 5, mask)
        assert [hit.chunk for hit in hits] == far_to_near[:allowed][::-1][:5].tolist()


def test_more_asked_for_than_there_is_gives_all_and_no_padding(vectors: FloatMatrix) -> None:
    hits = VectorIndex.build(vectors).search(vectors[0], 1_000)
    assert sorted(hit.chunk for hit in hits) == list(range(len(SENTENCES)))
    assert hits[0].chunk == 0
    assert hits[0].score == pytest.approx(1.0, abs=1e-5)


def test_nothing_allowed_or_asked_for_gives_nothing(vectors: FloatMatrix) -> None:
    index = VectorIndex.build(vectors)
    assert index.search(vectors[0], 5, np.zeros(len(SENTENCES), dtype=np.bool_)) == []
    assert index.search(vectors[0], 0) == []
    assert VectorIndex.build(vectors[:0]).search(vectors[0], 5) == []


def test_stored_vectors_come_back_as_they_were_in_the_order_asked_for(vectors: FloatMatrix) -> None:
    index = VectorIndex.build(vectors)
    assert np.array_equal(index.rows(np.array([4, 0, 4])), vectors[[4, 0, 4]])
    assert index.rows(np.array([], dtype=np.int64)).shape == (0, vectors.shape[1])


def test_the_ivf_names_candidates_and_stored_vectors_rank_them(vectors: FloatMatrix, embedder: Embedder) -> None:
    exact, stored = VectorIndex.build(vectors), flat(vectors)
    index = VectorIndex(stored, RowMap(len(vectors)), IvfIndex.build(stored), exact=0)
    for question in QUESTIONS:
        vector = embedder.embed_question(question)[0]
        hits = index.search(vector, 4)
        assert [hit.chunk for hit in hits] == [hit.chunk for hit in exact.search(vector, 4)]
        assert [hit.score for hit in hits] == pytest.approx([vectors[hit.chunk] @ vector for hit in hits], abs=1e-6)


@pytest.mark.parametrize("has_ivf", [True, False])
def test_hidden_rows_are_found_under_no_filter_and_through_no_index(
    vectors: FloatMatrix, embedder: Embedder, has_ivf: bool
) -> None:
    visible = np.array([1, 2, 3, 4, 5, 6, 8, 9])
    exact, stored = VectorIndex.build(vectors[visible]), flat(vectors)
    ivf = IvfIndex.build(stored) if has_ivf else None
    index = VectorIndex(stored, RowMap(len(vectors), np.array([0, 7])), ivf, exact=0)
    mask = np.array([True, False, True, True, True, False, True, True])
    for question in QUESTIONS:
        vector = embedder.embed_question(question)[0]
        for allowed in (None, mask):
            hits, expected = index.search(vector, 5, allowed), exact.search(vector, 5, allowed)
            assert [hit.chunk for hit in hits] == [hit.chunk for hit in expected]


def test_a_saved_flat_index_gives_back_every_vector_and_answers_as_the_built_one(
    vectors: FloatMatrix, tmp_path: Path
) -> None:
    built = flat(vectors)
    built.save(tmp_path / "vectors.faiss")
    opened = FlatVectors.open(tmp_path / "vectors.faiss")
    assert (opened.count, opened.dimension) == vectors.shape
    assert np.array_equal(opened.rows(slice(None)), vectors)
    assert np.array_equal(opened.rows(np.array([7, 0, 7])), vectors[[7, 0, 7]])
    mask = np.arange(len(vectors)) % 2 == 0
    for vector in vectors:
        for allowed in (None, mask):
            assert opened.search(vector, 3, allowed).tolist() == built.search(vector, 3, allowed).tolist()


def test_another_number_of_vectors_than_was_announced_is_refused(vectors: FloatMatrix) -> None:
    with pytest.raises(ValueError, match="10 vectors came for 11 rows"):
        FlatVectors.build([vectors], 11, vectors.shape[1])


def test_a_saved_ivf_answers_as_the_built_one(vectors: FloatMatrix, tmp_path: Path) -> None:
    built = IvfIndex.build(flat(vectors))
    built.save(tmp_path / "ivf.faiss")
    opened = IvfIndex.open(tmp_path / "ivf.faiss")
    for vector in vectors:
        assert opened.search(vector, 2, None, 1.0).tolist() == built.search(vector, 2, None, 1.0).tolist()


def test_an_ivf_that_is_carried_over_finds_what_stays_and_what_is_new_and_not_what_is_gone(
    vectors: FloatMatrix, tmp_path: Path
) -> None:
    IvfIndex.build(flat(vectors[:8])).save(tmp_path / "ivf.faiss")
    numbers = np.array([0, 1, -1, 2, 3, 4, -1, 5])  # the third and the seventh are gone
    stored = flat(vectors[[0, 1, 3, 4, 5, 7, 8, 9]])
    carried = IvfIndex.open(tmp_path / "ivf.faiss").carried_over(numbers, stored)
    carried.save(tmp_path / "carried.faiss")
    opened = IvfIndex.open(tmp_path / "carried.faiss")
    for row, vector in enumerate(stored.rows(slice(None))):
        assert carried.search(vector, 4, None, 0.01)[0] == row
        assert sorted(opened.search(vector, 8, None, 0.01).tolist()) == list(range(8))


def test_an_ivf_is_carried_over_while_most_of_it_stays_and_it_has_as_many_lists_as_it_should(
    vectors: FloatMatrix,
) -> None:
    ivf = IvfIndex.build(flat(vectors[:8]))
    assert ivf.carries_over(8, carried=4)
    assert not ivf.carries_over(8, carried=3)
    assert not ivf.carries_over(80, carried=40)
