"""Figures for the people who keep the knowledge base."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest

from indexes.types import ArticleSummary
from qa.insights.article_usage import article_usage
from qa.insights.figures import Day, figures
from qa.insights.similar_articles import similar_pairs
from qa.journal.article_views import Votes
from qa.journal.records import Feedback, Kind, QuestionRecord

TODAY = date(2026, 3, 30)


def asked(day: int, kind: Kind, took_ms: float = 10, helpful: bool | None = None, *articles: str) -> QuestionRecord:
    feedback = None if helpful is None else Feedback(helpful)
    cited = articles[:1] if kind == "answer" else ()
    return QuestionRecord(
        "a", datetime(2026, 3, day, 12, tzinfo=UTC), "q", kind, 0.5, took_ms, articles, cited, feedback
    )


def listed(id: str, updated: str) -> ArticleSummary:
    return ArticleSummary(id, id.title(), "", (), False, 2, date.fromisoformat(updated), "Article", "KB", None)


def test_a_period_has_a_figure_for_each_of_its_days() -> None:
    found = figures([asked(29, "answer", 10), asked(29, "refusal", 30), asked(30, "answer", 20)], TODAY, 3)
    assert found.days == (
        Day(date(2026, 3, 28), 0, 0, 0, None, None),
        Day(date(2026, 3, 29), 1, 0, 1, 10, 30),
        Day(date(2026, 3, 30), 1, 0, 0, 20, 20),
    )
    assert (found.asked, found.answered, found.p50, found.p95) == (3, 2, 20, 30)
    assert found.answered_share == pytest.approx(2 / 3)


def test_questions_that_got_the_closest_passages_alone_are_a_figure_of_their_own() -> None:
    found = figures([asked(30, "answer"), asked(30, "closest"), asked(30, "closest"), asked(30, "refusal")], TODAY, 1)
    assert (found.days[0].answered, found.days[0].closest, found.days[0].refused) == (1, 2, 1)
    assert (found.answered_share, found.closest_share, found.refused_share) == (0.25, 0.5, 0.25)


def test_greetings_are_no_questions() -> None:
    assert figures([asked(30, "courtesy")], TODAY, 7).asked == 0


def test_helpful_is_a_share_of_those_who_said_something() -> None:
    found = figures(
        [asked(30, "answer", helpful=True), asked(30, "answer", helpful=False), asked(30, "answer")], TODAY, 7
    )
    assert found.helpful_share == 0.5


def test_of_nothing_there_is_no_share() -> None:
    found = figures([], TODAY, 7)
    assert (found.answered_share, found.helpful_share, found.p50) == (None, None, None)
    assert len(found.days) == 7


def test_articles_are_told_apart_by_how_they_served() -> None:
    shelf = [listed("tokens", "2026-03-01"), listed("retries", "2024-01-01"), listed("logs", "2023-01-01")]
    questions = [
        asked(30, "answer", 1, None, "retries", "tokens"),
        asked(30, "answer", 1, None, "retries"),
        asked(29, "answer", 1, None, "tokens"),
        asked(29, "refusal", 1, None, "gone"),
    ]
    found = article_usage(shelf, questions, {"tokens": 3}, {"retries": Votes(1, 0)}, TODAY)
    assert [(entry.article.id, entry.cited, entry.retrieved, entry.views) for entry in found.used] == [
        ("retries", 2, 2, 2),
        ("tokens", 1, 2, 5),
    ]
    assert [entry.article.id for entry in found.stale] == ["retries"]
    assert [article.id for article in found.unused] == ["logs"]
    assert found.used[0].votes == Votes(1, 0)


def test_articles_that_say_much_the_same_are_named_once() -> None:
    shelf = [listed("a", "2026-01-01"), listed("b", "2026-01-01"), listed("c", "2026-01-01")]
    vectors = np.array([[1, 0], [0.96, 0.28], [0, 1]], dtype=np.float32)
    (pair,) = similar_pairs(shelf, vectors, 0.9)
    assert (pair.one.id, pair.other.id) == ("a", "b")
    assert pair.similarity == pytest.approx(0.96)
