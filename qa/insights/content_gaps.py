"""Groups unanswered questions by meaning: the topics that articles are missing for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from indexes.types import FloatMatrix
from qa.journal.records import Kind, QuestionRecord

SAME_TOPIC = 0.30  # mean cosine from which questions are one topic: docs/decisions/content-gaps.md
MOST = 1_000  # distinct questions grouped, newest first; time grows with the square


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A question without an answer, as last worded. `nearest`: the id of the article closest to it, or "".

    `kind`: what it was shown instead when it was last asked.
    """

    text: str
    times: int
    last: datetime
    nearest: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Gap:
    """Questions on one topic; the first, the most central, names it."""

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
        """The id of the article nearest to most of the questions; "" if there is none."""
        counts: Counter[str] = Counter()
        for question in self.questions:
            counts[question.nearest] += question.times
        counts.pop("", None)
        return counts.most_common(1)[0][0] if counts else ""


def unanswered(records: Sequence[QuestionRecord]) -> list[Unanswered]:
    """The distinct questions without an answer, newest first; case, spaces and end punctuation do not distinguish."""
    distinct: dict[str, Unanswered] = {}
    for record in records:
        if record.kind in ("refusal", "closest"):
            key = " ".join(record.question.casefold().split()).rstrip("?!. ")
            times = distinct.pop(key).times if key in distinct else 0
            distinct[key] = Unanswered(record.question, times + 1, record.asked, record.nearest, record.kind)
    return list(distinct.values())[::-1][:MOST]


def grouped(questions: Sequence[Unanswered], vectors: FloatMatrix) -> list[Gap]:
    """Gaps, most asked first. `vectors`: (len(questions), dimension), unit rows."""
    topics = [Gap(tuple(questions[row] for row in _central_first(vectors, members))) for members in clusters(vectors)]
    return sorted(topics, key=lambda gap: (-gap.times, -gap.last.timestamp()))


def apart(questions: Sequence[Unanswered]) -> list[Gap]:
    """Every question as a gap of its own, for when there is no model to compare them with."""
    return sorted((Gap((question,)) for question in questions), key=lambda gap: -gap.times)


def clusters(vectors: FloatMatrix, like: float = SAME_TOPIC) -> list[list[int]]:
    """Rows by topic: average-link agglomeration, cut where the mean cosine of two topics falls below `like`.

    Average linkage (Sokal and Michener, 1958): unlike single linkage it does not chain topics through a question
    between them, and the number of topics need not be known.
    """
    if len(vectors) < 2:
        return [[row] for row in range(len(vectors))]
    from scipy.cluster.hierarchy import fcluster, linkage  # imported late: 0.3 s and 30 MB

    distances = np.clip(1 - vectors @ vectors.T, 0, 2)[np.triu_indices(len(vectors), 1)]
    labels = fcluster(linkage(distances, "average"), 1 - like, "distance")
    return [np.flatnonzero(labels == label).tolist() for label in np.unique(labels)]


def _central_first(vectors: FloatMatrix, members: Sequence[int]) -> list[int]:
    topic = vectors[list(members)]
    closeness = topic @ topic.mean(axis=0)
    return [members[index] for index in np.argsort(-closeness, kind="stable")]
