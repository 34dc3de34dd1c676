"""What should be written next? Questions that had no answer, grouped by meaning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from indexes.types import FloatMatrix
from qa.journal.records import QuestionRecord

LIKE = 0.24  # mean cosine from which questions are one topic: docs/decisions/content-gaps.md
MOST = 1_000  # distinct questions grouped, the newest ones; the time grows with their square


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A question that had no answer, in the words of the one who asked last. `nearest`: an article's id, or ""."""

    text: str
    times: int
    last: datetime
    nearest: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Questions on one topic, the most central first: it names the topic."""

    questions: tuple[Unanswered, ...]

    @property
    def label(self) -> str:
        return self.questions[0].text

    @property
    def times(self) -> int:
        return sum(question.times for question in self.questions)

    @property
    def last(self) -> datetime:
        return max(question.last for question in self.questions)

    @property
    def nearest(self) -> str:
        """The article that is nearest to most of the questions; "" if there is none."""
        counts: Counter[str] = Counter()
        for question in self.questions:
            counts[question.nearest] += question.times
        counts.pop("", None)
        return counts.most_common(1)[0][0] if counts else ""


def unanswered(asked: Sequence[QuestionRecord]) -> list[Unanswered]:
    """The distinct questions without an answer, newest first; those that differ in case and spaces alone are one."""
    found: dict[str, Unanswered] = {}
    for entry in asked:
        if entry.kind == "refusal":
            key = " ".join(entry.question.casefold().split()).rstrip("?!. ")
            times = found.pop(key).times if key in found else 0
            found[key] = Unanswered(entry.question, times + 1, entry.asked, entry.nearest)
    return list(found.values())[::-1][:MOST]


def grouped(questions: Sequence[Unanswered], vectors: FloatMatrix) -> list[Gap]:
    """Gaps, the most asked first. `vectors` has one unit row a question, shape (len(questions), dimension)."""
    topics = [
        Gap(tuple(questions[place] for place in _central_first(vectors, members))) for members in clusters(vectors)
    ]
    return sorted(topics, key=lambda gap: (-gap.times, -gap.last.timestamp()))


def apart(questions: Sequence[Unanswered]) -> list[Gap]:
    """Every question as a gap of its own, for want of a model that knows their meaning."""
    return sorted((Gap((question,)) for question in questions), key=lambda gap: -gap.times)


def clusters(vectors: FloatMatrix, like: float = LIKE) -> list[list[int]]:
    """Rows by topic: average-link agglomeration, cut where the mean cosine of two topics falls below `like`.

    Average linkage after Sokal and Michener (1958): unlike single linkage it does not chain topics by a question
    between them, and no number of topics has to be guessed.
    """
    if len(vectors) < 2:
        return [[place] for place in range(len(vectors))]
    from scipy.cluster.hierarchy import fcluster, linkage  # here: it costs a third of a second and 30 MB

    distances = np.clip(1 - vectors @ vectors.T, 0, 2)[np.triu_indices(len(vectors), 1)]
    labels = fcluster(linkage(distances, "average"), 1 - like, "distance")
    return [np.flatnonzero(labels == label).tolist() for label in np.unique(labels)]


def _central_first(vectors: FloatMatrix, members: Sequence[int]) -> list[int]:
    own = vectors[list(members)]
    closeness = own @ own.mean(axis=0)
    return [members[place] for place in np.argsort(-closeness, kind="stable")]
