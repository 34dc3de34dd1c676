from __future__ import annotations

import pytest

from qa.question.courtesy import courtesy
from qa.types import Question
from tests.conftest import Site


@pytest.mark.parametrize(
    "text",
    [
        "hi",
        "Hello!",
        "hey there",
        "Good morning team",
        "thanks",
        "Thank you so much!",
        "bye",
        "help",
        "What can you do?",
    ],
)
def test_a_courtesy_gets_a_word(text: str) -> None:
    assert courtesy(text, 52)


@pytest.mark.parametrize(
    "text",
    [
        "hi, how do I rotate tokens?",
        "thanks to which header is a retry safe?",
        "help me size a pool",
        "Great Expectations tests",
        "",
    ],
)
def test_a_question_is_no_courtesy(text: str) -> None:
    assert courtesy(text, 52) == ""


def test_a_greeting_is_not_searched_for_and_claims_no_answer(tiny_site: Site) -> None:
    answer = tiny_site.services.answerer.ask(Question("Hello!"))
    assert answer.text.startswith("Hello.")
    assert (answer.answered, answer.passages, answer.citations, answer.related) == (False, (), (), ())
