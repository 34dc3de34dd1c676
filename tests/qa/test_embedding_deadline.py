"""A question is embedded within the deadline or refused; a model that recovers is used again."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np
import pytest

from indexes.errors import ModelUnavailable
from indexes.types import FloatMatrix
from qa.embedding_deadline import DeadlineEmbedder

LONG = 60.0
SHORT = 0.05


@dataclass
class Stuck:
    """Embeds once it is let go, and notes what it was asked."""

    go: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)
    done: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def embed_question(self, text: str) -> FloatMatrix:
        self.asked.append(text)
        assert self.go.wait(LONG)
        if text == "bad":
            raise ValueError("not a text")
        self.done.release()
        return np.ones((1, 2), dtype=np.float32)


def test_a_model_that_works_answers_through_it() -> None:
    model = Stuck()
    model.go.set()
    assert DeadlineEmbedder(model, workers=2, deadline=LONG).embed_question("q").tolist() == [[1, 1]]
    assert model.asked == ["q"]


def test_what_the_model_raises_is_raised_to_the_one_who_asked_and_the_next_is_served() -> None:
    model = Stuck()
    model.go.set()
    patient = DeadlineEmbedder(model, workers=1, deadline=LONG)
    with pytest.raises(ValueError, match="not a text"):
        patient.embed_question("bad")
    assert patient.embed_question("q").shape == (1, 2)


def test_a_model_that_hangs_is_given_up_on_and_then_not_waited_for() -> None:
    model = Stuck()
    patient = DeadlineEmbedder(model, workers=1, deadline=SHORT)
    with pytest.raises(ModelUnavailable, match="took longer"):
        patient.embed_question("first")
    with pytest.raises(ModelUnavailable, match="hangs"):
        patient.embed_question("second")
    assert model.asked == ["first"]
    model.go.set()


def test_a_model_that_recovers_is_used_again() -> None:
    model = Stuck()
    patient = DeadlineEmbedder(model, workers=1, deadline=SHORT)
    with pytest.raises(ModelUnavailable):
        patient.embed_question("first")
    model.go.set()
    assert model.done.acquire(timeout=LONG)
    for _ in range(100):
        try:
            assert patient.embed_question("second").shape == (1, 2)
            return
        except ModelUnavailable:  # its thread has not noted yet that it is done
            threading.Event().wait(SHORT)
    pytest.fail("it was never used again")
