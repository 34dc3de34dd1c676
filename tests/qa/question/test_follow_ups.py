from __future__ import annotations

import pytest

from qa.question.follow_ups import HistoryRewriter, leans_on_history
from qa.types import CLOSEST, AnswerKind, Question, Turn

HISTORY = (
    Turn("user", "How long do refresh tokens live?"),
    Turn("assistant", "Refresh tokens live for 30 days."),
)


@pytest.mark.parametrize(
    "text", ["And how do I rotate them?", "what about mobile?", "why is that?", "Kong?", "how do they expire"]
)
def test_a_question_that_points_back_leans_on_history(text: str) -> None:
    assert leans_on_history(text)


@pytest.mark.parametrize(
    "text", ["How do I size a PostgreSQL connection pool?", "Which status code means rate limited, 429 or 503?"]
)
def test_a_question_that_says_what_it_is_about_stands_alone(text: str) -> None:
    assert not leans_on_history(text)


def test_a_follow_up_is_searched_for_alone_and_with_the_turn_it_leans_on() -> None:
    standalone = HistoryRewriter().standalone(Question("And how do I rotate them?", history=HISTORY))
    assert standalone.text == "How long do refresh tokens live? And how do I rotate them?"
    assert standalone.probes[0].text == "And how do I rotate them?"
    assert standalone.probes[-1].text == standalone.text
    assert standalone.probes[0].weight > standalone.probes[-1].weight


def test_a_follow_up_is_searched_for_with_how_the_last_answer_begins_but_without_its_marks() -> None:
    turns = (Turn("user", "Which databases?"), Turn("assistant", "PostgreSQL and MySQL. [1] " + "More text. " * 100))
    probes = HistoryRewriter().standalone(Question("and how are they backed up?", history=turns)).probes
    assert probes[1].text.startswith("and how are they backed up? PostgreSQL and MySQL. More text.")
    assert len(probes[1].text) < 300


def test_a_refusal_is_nothing_to_search_for() -> None:
    turns = (Turn("user", "Which databases?"), Turn("assistant", "The knowledge base does not say. The nearest: …"))
    probes = HistoryRewriter().standalone(Question("and how are they backed up?", history=turns)).probes
    assert [probe.text for probe in probes] == [
        "and how are they backed up?",
        "Which databases? and how are they backed up?",
    ]


@pytest.mark.parametrize("kind", [AnswerKind.CLOSEST, None], ids=["kept here", "kept by a client"])
def test_the_closest_passages_are_nothing_to_search_for(kind: AnswerKind | None) -> None:
    turns = (Turn("user", "Which databases?"), Turn("assistant", f"{CLOSEST}\n\n> Quagga.", kind))
    probes = HistoryRewriter().standalone(Question("and how are they backed up?", history=turns)).probes
    assert "Quagga" not in " ".join(probe.text for probe in probes)


def test_history_is_ignored_when_the_topic_changes() -> None:
    question = "How do I size a PostgreSQL connection pool?"
    assert HistoryRewriter().standalone(Question(question, history=HISTORY)).text == question


def test_a_chain_of_follow_ups_reaches_back_to_the_turn_that_named_the_subject() -> None:
    history = (*HISTORY, Turn("user", "and on mobile?"), Turn("assistant", "The same."))
    standalone = HistoryRewriter().standalone(Question("why is that?", history=history))
    assert standalone.text == "How long do refresh tokens live? and on mobile? why is that?"


def test_without_history_a_question_is_searched_for_as_it_is() -> None:
    assert HistoryRewriter().standalone(Question("and now?")).text == "and now?"
