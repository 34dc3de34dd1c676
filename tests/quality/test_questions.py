"""Questions written before anyone looked at an answer, asked of the bundled KB. Never tune on them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from qa.types import AnswerKind, Question
from tests.conftest import Site

HERE = Path(__file__).parent


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (HERE / name).read_text(encoding="utf-8").splitlines()]


def test_the_right_article_comes_first_for_at_least_25_of_30_questions(kb_site: Site) -> None:
    wrong = []
    for entry in lines("questions.jsonl"):
        answer = kb_site.services.answerer.ask(Question(entry["question"]))
        first = answer.passages[0].article.id
        if first not in (entry["article"], *entry["also"]):
            wrong.append((entry["question"], first))
    assert len(wrong) <= 5, wrong


def test_every_citation_of_every_answer_is_exactly_its_place(kb_site: Site) -> None:
    for entry in [*lines("questions.jsonl"), *lines("answerable.jsonl")]:
        answer = kb_site.services.answerer.ask(Question(entry["question"]))
        assert bool(answer.citations) == answer.answered
        for citation in answer.citations:
            article = kb_site.client.get(f"/api/v1/articles/{citation.article_id}").json()
            assert article["markdown"][citation.start : citation.end] == citation.quote


def test_at_least_80_percent_of_answerable_questions_are_answered_and_at_most_5_percent_refused(kb_site: Site) -> None:
    entries = [*lines("questions.jsonl"), *lines("answerable.jsonl")]
    kinds = {e["question"]: kb_site.services.answerer.ask(Question(e["question"])).kind for e in entries}
    unanswered = [question for question, kind in kinds.items() if kind is not AnswerKind.ANSWERED]
    refused = [question for question, kind in kinds.items() if kind is AnswerKind.REFUSED]
    assert len(unanswered) <= 0.2 * len(entries), unanswered
    assert len(refused) <= 0.05 * len(entries), refused


def test_at_least_90_percent_of_unanswerable_questions_are_declined(kb_site: Site) -> None:
    entries = lines("unanswerable.jsonl")
    bluffed = [e["question"] for e in entries if kb_site.services.answerer.ask(Question(e["question"])).answered]
    assert len(bluffed) <= 0.1 * len(entries), bluffed
