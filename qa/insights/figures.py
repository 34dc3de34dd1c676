"""Computes the figures of a period: questions, answers, feedback and latency, by day and in total."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from qa.journal.records import Kind, QuestionRecord


@dataclass(frozen=True, slots=True)
class Day:
    """The questions of one day."""

    day: date
    answered: int
    closest: int  # only the closest passages were shown
    refused: int
    p50: float | None  # milliseconds; None on a day without questions
    p95: float | None


@dataclass(frozen=True, slots=True)
class UsageFigures:
    """The questions of a period, without greetings. Shares are None where there is nothing to share."""

    days: tuple[Day, ...]
    asked: int
    answered: int
    closest: int
    helpful: int
    unhelpful: int
    p50: float | None
    p95: float | None

    @property
    def refused(self) -> int:
        return self.asked - self.answered - self.closest

    @property
    def answered_share(self) -> float | None:
        return self.answered / self.asked if self.asked else None

    @property
    def closest_share(self) -> float | None:
        return self.closest / self.asked if self.asked else None

    @property
    def refused_share(self) -> float | None:
        return self.refused / self.asked if self.asked else None

    @property
    def helpful_share(self) -> float | None:
        judged = self.helpful + self.unhelpful
        return self.helpful / judged if judged else None


def figures(records: Sequence[QuestionRecord], today: date, days: int) -> UsageFigures:
    """The figures of the `days` days that end with `today`."""
    questions = [record for record in records if record.kind != "courtesy"]
    by_day: dict[date, list[QuestionRecord]] = {today - timedelta(days=days - 1 - n): [] for n in range(days)}
    for record in questions:
        by_day.setdefault(record.asked.date(), []).append(record)
    votes = [record.feedback.helpful for record in questions if record.feedback]
    return UsageFigures(
        tuple(_day(day, of_day) for day, of_day in sorted(by_day.items())),
        len(questions),
        _count(questions, "answer"),
        _count(questions, "closest"),
        sum(votes),
        len(votes) - sum(votes),
        *_latency(questions),
    )


def _day(day: date, records: Sequence[QuestionRecord]) -> Day:
    answered, closest = _count(records, "answer"), _count(records, "closest")
    return Day(day, answered, closest, len(records) - answered - closest, *_latency(records))


def _count(records: Sequence[QuestionRecord], kind: Kind) -> int:
    return sum(record.kind == kind for record in records)


def _latency(records: Sequence[QuestionRecord]) -> tuple[float | None, float | None]:
    """The median and 95th percentile in milliseconds; None without records."""
    if not records:
        return None, None
    p50, p95 = np.percentile([record.took_ms for record in records], (50, 95), method="inverted_cdf")
    return float(p50), float(p95)
