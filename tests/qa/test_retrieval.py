"""What a retriever finds in an index of hand-written articles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from indexes.models.embedding import Embedder
from indexes.snapshots.publishing import open_current
from indexes.snapshots.snapshot import Snapshot
from indexes.types import Filter, FloatMatrix
from qa.retrieval import QuestionEmbedder, Retrieved, Retriever, Weights
from qa.types import Probe, Standalone

BACKOFF = "A client waits twice as long before each retry, plus a random share, so that retries do not come together."
ARTICLES = {
    "backoff": f"---\ntitle: Exponential backoff\ntags: [resilience]\n---\n{BACKOFF}\n",
    "copies/backoff": f"---\ntitle: Exponential backoff\ntags: [resilience]\n---\n{BACKOFF}\n",
    "pools": "---\ntitle: Connection pools\ntags: [databases]\n---\n"
    "Set maximumPoolSize to twice the number of cores. An idle connection is closed.\n",
    "invoices": "---\ntitle: Paying invoices\ntags: [finance]\n---\nAn invoice is paid within thirty days.\n",
    "dogs": "---\ntitle: Pets at work\ntags: [office]\n---\nDogs may come to the office on Fridays.\n",
}
RETRIES = "How long does a client wait before each retry?"


@pytest.fixture(scope="module")
def snapshot(indexed: Callable[..., Path]) -> Snapshot:
    return open_current(indexed(ARTICLES))


def found(
    snapshot: Snapshot,
    embedder: QuestionEmbedder | None,
    *texts: str,
    tags: tuple[str, ...] = (),
    limit: int = 8,
    depth: int = 200,
) -> Retrieved:
    """What is found for a question that is asked as the first of `texts` and understood as the last."""
    question = Standalone(texts[-1], tuple(Probe(text, 1.0) for text in texts))
    found = Retriever(embedder, Weights(depth=depth)).retrieve(snapshot, question, Filter(tags), limit)
    return replace(found, passages=found.passages[:limit])


def articles(retrieved: Retrieved) -> list[str]:
    return [passage.article.id for passage in retrieved.passages]


class BrokenEmbedder:
    def embed_question(self, text: str) -> FloatMatrix:
        raise RuntimeError("out of memory")


class CountingEmbedder:
    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.texts: list[str] = []

    def embed_question(self, text: str) -> FloatMatrix:
        self.texts.append(text)
        return self._embedder.embed_question(text)


def test_an_article_is_found_by_a_name_it_holds_and_by_what_it_means(snapshot: Snapshot, embedder: Embedder) -> None:
    assert articles(found(snapshot, embedder, "maximumPoolSize"))[0] == "pools"
    assert articles(found(snapshot, embedder, "Can I bring my puppy?"))[0] == "dogs"


def test_every_passage_is_its_place_in_its_article_and_the_best_comes_first(
    snapshot: Snapshot, embedder: Embedder
) -> None:
    retrieved = found(snapshot, embedder, RETRIES)
    assert retrieved.passages[0].text == BACKOFF
    for passage in retrieved.passages:
        assert passage.article.markdown[passage.start : passage.end] == passage.text
    scores = [hit.score for hit in retrieved.ranking]
    assert scores == sorted(scores, reverse=True)


def test_near_duplicates_are_returned_once(snapshot: Snapshot, embedder: Embedder) -> None:
    retrieved = found(snapshot, embedder, RETRIES)
    assert len({"backoff", "copies/backoff"} & set(articles(retrieved))) == 1
    assert len(retrieved.ranking) == len(retrieved.passages) + 1 == 5


def test_a_limit_counts_what_is_no_duplicate(snapshot: Snapshot, embedder: Embedder) -> None:
    two = articles(found(snapshot, embedder, RETRIES, limit=2))
    assert len(two) == 2
    assert not {"backoff", "copies/backoff"} <= set(two)


def test_a_filter_is_applied_inside_the_search(snapshot: Snapshot, embedder: Embedder) -> None:
    """With one candidate of each index, a filter of what was found would leave nothing."""
    assert articles(found(snapshot, embedder, RETRIES, depth=1))[0] in ("backoff", "copies/backoff")
    assert articles(found(snapshot, embedder, RETRIES, depth=1, tags=("finance",))) == ["invoices"]
    assert articles(found(snapshot, None, "idle invoice", depth=1, tags=("databases",))) == ["pools"]


@pytest.mark.parametrize("broken", [None, BrokenEmbedder()], ids=["no model", "a model that fails"])
def test_without_vectors_the_keywords_alone_answer_marked_degraded(
    snapshot: Snapshot, broken: QuestionEmbedder | None
) -> None:
    retrieved = found(snapshot, broken, "maximumPoolSize of a connection")
    assert articles(retrieved) == ["pools"]
    assert retrieved.degraded == ("vectors",)
    assert retrieved.passages[0].similarity is None
    signals = retrieved.signals[0]
    assert (signals.similarity, signals.article_similarity, signals.spans) == (None, None, None)
    assert signals.keyword > 0.5


def test_with_vectors_nothing_is_degraded(snapshot: Snapshot, embedder: Embedder) -> None:
    retrieved = found(snapshot, embedder, RETRIES)
    assert retrieved.degraded == ()
    signals = retrieved.signals[0]
    assert signals.similarity == pytest.approx(retrieved.passages[0].similarity, abs=1e-5)
    assert signals.spans is not None
    assert len(signals.spans) == 1 + len(retrieved.passages[0].quotables)


def test_words_that_no_article_holds_find_nothing_without_a_model(snapshot: Snapshot) -> None:
    retrieved = found(snapshot, None, "zebra xylophone")
    assert (list(retrieved.ranking), retrieved.passages, retrieved.signals) == ([], (), ())


def test_a_follow_up_is_searched_for_as_asked_and_as_understood(snapshot: Snapshot, embedder: Embedder) -> None:
    followed = found(snapshot, embedder, "And in the office?", "May dogs come, and in the office?")
    assert articles(followed)[0] == "dogs"
    asked = found(snapshot, embedder, "And in the office?").signals[0].keyword
    understood = found(snapshot, embedder, "May dogs come, and in the office?").signals[0].keyword
    assert min(asked, understood) < followed.signals[0].keyword < max(asked, understood)


def test_a_question_is_embedded_once_however_often_it_is_asked(snapshot: Snapshot, embedder: Embedder) -> None:
    counting = CountingEmbedder(embedder)
    retriever = Retriever(counting)
    question = Standalone(RETRIES, (Probe(RETRIES, 1.0),))
    first, second = (retriever.retrieve(snapshot, question, Filter(), 8) for _ in range(2))
    assert counting.texts == [RETRIES]
    assert articles(first) == articles(second)
