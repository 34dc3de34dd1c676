from __future__ import annotations

import pytest

from qa.question.parts import parts_of


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (
            "What is a circuit breaker and when should it open?",
            ("What is a circuit breaker", "when should it open?"),
        ),
        (
            "How do I size the pool? Does PgBouncer help?",
            ("How do I size the pool?", "Does PgBouncer help?"),
        ),
        (
            "What should be INFO, what should be WARN and how do I follow one request?",
            ("What should be INFO", "what should be WARN", "how do I follow one request?"),
        ),
        (
            "What should be logged at WARN and what at ERROR?",
            ("What should be logged at WARN", "what at ERROR?"),
        ),
    ],
)
def test_a_question_that_asks_several_things_has_several_parts(question: str, expected: tuple[str, ...]) -> None:
    assert parts_of(question) == expected


@pytest.mark.parametrize(
    "question",
    [
        "What is a circuit breaker?",
        "logs and metrics",
        "Which is better and why?",
        "how and when to use Redis",
        "How much memory and how many iterations should Argon2id use?",
        "Should every customer get their own database or can they all share tables?",
        "We run an autoscaler on CPU. How should its target be set?",
        "If a consumer is down, how do I replay its events?",
        "",
    ],
)
def test_a_question_that_asks_one_thing_has_one_part(question: str) -> None:
    assert parts_of(question) == (question,)


def test_what_is_asked_beyond_the_fourth_part_stays_with_it() -> None:
    question = "What is a log? What is a metric? What is a trace? What is a span? What is an event?"
    assert len(parts_of(question)) == 4
    assert parts_of(question)[-1] == "What is a span? What is an event?"
