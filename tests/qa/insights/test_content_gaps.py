"""Unanswered questions, grouped by meaning."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np

from benchmarks.content_gaps import QUESTIONS, purity
from indexes.models.embedding import Embedder
from qa.insights.content_gaps import Gap, Unanswered, apart, clusters, grouped, unanswered
from qa.journal.records import Kind, QuestionRecord

NOON = datetime(2026, 3, 30, 12, tzinfo=UTC)


def asked(question: str, kind: Kind = "refusal", nearest: str = "", minutes: int = 0) -> QuestionRecord:
    retrieved = (nearest,) if nearest else ()
    moment = NOON + timedelta(minutes=minutes)
    return QuestionRecord("a", moment, question, kind, 0.1, 5.0, retrieved, (), None)


def question(text: str, times: int = 1, nearest: str = "") -> Unanswered:
    return Unanswered(text, times, NOON, nearest, "refusal")


def test_what_was_not_answered_is_a_gap_and_the_same_question_is_one() -> None:
    found = unanswered(
        [
            asked("How do I use Kafka?"),
            asked("Hello", "courtesy"),
            asked("What is REST?", "answer"),
            asked("Who is on call?", minutes=1),
            asked("how do i  use kafka", "closest", minutes=2),
        ]
    )
    assert [(entry.text, entry.times, entry.kind) for entry in found] == [
        ("how do i  use kafka", 2, "closest"),
        ("Who is on call?", 1, "refusal"),
    ]


def test_a_topic_is_named_by_its_most_central_question() -> None:
    directions = np.array([[1, 0, 0], [0.9, 0.1, 0], [0.8, 0.3, 0], [0, 0, 1]], dtype=np.float32)
    vectors = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    questions = [question("edge"), question("middle"), question("other edge"), question("elsewhere", times=9)]
    gaps = grouped(questions, vectors)
    assert [(gap.label, gap.times) for gap in gaps] == [("elsewhere", 9), ("middle", 3)]


def test_the_article_nearest_to_most_of_the_questions_is_named() -> None:
    gap = Gap((question("a", 1, "tokens"), question("b", 3, "retries"), question("c", 5)))
    assert gap.nearest == "retries"
    assert Gap((question("a"),)).nearest == ""


def test_without_a_model_every_question_stands_alone() -> None:
    assert [gap.label for gap in apart([question("a"), question("b", 2)])] == ["b", "a"]


def test_few_questions_are_no_trouble() -> None:
    assert grouped([], np.zeros((0, 3), dtype=np.float32)) == []
    assert clusters(np.array([[1, 0]], dtype=np.float32)) == [[0]]
    same = np.array([[1, 0]] * 5, dtype=np.float32)
    assert clusters(same) == [[0, 1, 2, 3, 4]]


def test_two_hundred_questions_on_twenty_topics_become_sensible_groups(embedder: Embedder) -> None:
    entries = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    vectors = np.concatenate([embedder.embed_question(entry["question"]) for entry in entries])
    groups = clusters(vectors)
    topics = [entry["topic"] for entry in entries]
    assert (len(topics), len(set(topics))) == (200, 20)
    assert purity(topics, groups) >= 0.85
    assert len(groups) <= 70
    assert sum(len(group) for group in groups if len(group) > 1) >= 160  # few are left alone
