"""What is asked, answered, cited, missing and out of date, for those who keep the knowledge base."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from operator import attrgetter
from threading import Lock
from weakref import WeakKeyDictionary

import numpy as np
from cachetools import LRUCache, cachedmethod

from indexes.snapshots.article_table import ArticleSummary
from indexes.snapshots.snapshot import Snapshot
from indexes.types import FloatMatrix, FloatVector, Viewer
from qa.audiences import may_see
from qa.insights.content_gaps import Gap, apart, grouped, unanswered
from qa.journal.article_views import Views, Votes
from qa.journal.records import QuestionRecord
from qa.journal.store import Journal
from qa.retrieval import QuestionEmbedder

STALE = 365  # days without a change from which an article that answers quote should be looked at
ALIKE = 0.82  # cosine from which two articles say much the same
_MOST_COMPARED = 10_000  # articles; each is compared with every other
_BLOCK = 1_000
_REMEMBERED = 4_000  # question vectors


@dataclass(frozen=True, slots=True)
class Day:
    """The questions of one day."""

    day: date
    answered: int
    unanswered: int
    p50: float | None  # milliseconds; None on a day without questions
    p95: float | None


@dataclass(frozen=True, slots=True)
class UsageFigures:
    """Questions of a period; greetings do not count. Shares are None where there is nothing to share."""

    days: tuple[Day, ...]
    asked: int
    answered: int
    helpful: int
    unhelpful: int
    p50: float | None
    p95: float | None

    @property
    def answered_share(self) -> float | None:
        return self.answered / self.asked if self.asked else None

    @property
    def helpful_share(self) -> float | None:
        judged = self.helpful + self.unhelpful
        return self.helpful / judged if judged else None


@dataclass(frozen=True, slots=True)
class ArticleUsage:
    """How an article served in a period."""

    article: ArticleSummary
    cited: int  # answers that quote it
    retrieved: int  # questions for which it was considered
    votes: Votes
    views: int


@dataclass(frozen=True, slots=True)
class ArticlesUsage:
    """`used` in order of citations; `unused` were considered for no question; `stale` are cited all the same."""

    used: tuple[ArticleUsage, ...]
    unused: tuple[ArticleSummary, ...]
    stale: tuple[ArticleUsage, ...]


@dataclass(frozen=True, slots=True)
class SimilarPair:
    one: ArticleSummary
    other: ArticleSummary
    similarity: float


class Insights:
    """Figures from the journal and the snapshot that is served. Methods raise JournalUnavailable."""

    def __init__(
        self,
        journal: Journal,
        views: Views,
        embedder: QuestionEmbedder | None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._journal = journal
        self._views = views
        self._now = now
        self._meaning = _Meaning(embedder) if embedder else None
        self._similar_pairs: WeakKeyDictionary[Snapshot, tuple[SimilarPair, ...]] = WeakKeyDictionary()

    def asked(self, days: int, viewer: Viewer, whole: Snapshot) -> tuple[QuestionRecord, ...]:
        """The questions of the last `days` days, today included, oldest first.

        Those whose answers show what `viewer` may not read are left out; `whole` says what that is.
        """
        first = self._today() - timedelta(days=days - 1)
        asked = self._journal.asked_since(datetime(first.year, first.month, first.day, tzinfo=UTC))
        return tuple(entry for entry in asked if may_see(viewer, entry.audiences, entry.retrieved, whole))

    def figures(self, asked: Sequence[QuestionRecord], days: int) -> UsageFigures:
        return figures(asked, self._today(), days)

    def gaps(self, asked: Sequence[QuestionRecord]) -> list[Gap]:
        """Unanswered questions by topic, the most asked first; each on its own where there is no model."""
        questions = unanswered(asked)
        if self._meaning is None:
            return apart(questions)
        return grouped(questions, self._meaning.of([question.text for question in questions]))

    def articles(self, snapshot: Snapshot, asked: Sequence[QuestionRecord], days: int) -> ArticlesUsage:
        today = self._today()
        return article_usage(
            snapshot.articles.listed(),
            asked,
            self._views.all(),
            self._views.votes_since(today - timedelta(days=days - 1)),
            today,
        )

    def similar_pairs(self, snapshot: Snapshot) -> tuple[SimilarPair, ...]:
        """Pairs of articles that say much the same, the most alike first; computed once a snapshot."""
        found = self._similar_pairs.get(snapshot)
        if found is None:
            found = self._similar_pairs[snapshot] = similar_pairs(snapshot.articles.listed(), snapshot.article_vectors)
        return found

    def _today(self) -> date:
        return self._now().date()


class _Meaning:
    """Vectors of questions, remembered: the same ones are looked at again and again."""

    def __init__(self, embedder: QuestionEmbedder) -> None:
        self._embedder = embedder
        self._vectors: LRUCache[str, FloatVector] = LRUCache(_REMEMBERED)
        self._lock = Lock()

    def of(self, texts: Sequence[str]) -> FloatMatrix:
        """Shape (len(texts), dimension), unit rows."""
        rows = [self._one(text) for text in texts]
        return np.stack(rows) if rows else np.zeros((0, 1), dtype=np.float32)

    @cachedmethod(attrgetter("_vectors"), lock=attrgetter("_lock"))
    def _one(self, text: str) -> FloatVector:
        vector: FloatVector = self._embedder.embed_question(text)[0]
        return vector


# Pure functions


def figures(asked: Sequence[QuestionRecord], today: date, days: int) -> UsageFigures:
    """Of the `days` days that end with `today`."""
    questions = [entry for entry in asked if entry.kind != "courtesy"]
    by_day: dict[date, list[QuestionRecord]] = {today - timedelta(days=days - 1 - n): [] for n in range(days)}
    for entry in questions:
        by_day.setdefault(entry.asked.date(), []).append(entry)
    thoughts = [entry.feedback.helpful for entry in questions if entry.feedback]
    return UsageFigures(
        tuple(_day(day, entries) for day, entries in sorted(by_day.items())),
        len(questions),
        _answered(questions),
        sum(thoughts),
        len(thoughts) - sum(thoughts),
        *_latency(questions),
    )


def _day(day: date, entries: Sequence[QuestionRecord]) -> Day:
    answered = _answered(entries)
    return Day(day, answered, len(entries) - answered, *_latency(entries))


def _answered(entries: Sequence[QuestionRecord]) -> int:
    return sum(entry.kind == "answer" for entry in entries)


def _latency(entries: Sequence[QuestionRecord]) -> tuple[float | None, float | None]:
    if not entries:
        return None, None
    p50, p95 = np.percentile([entry.took_ms for entry in entries], (50, 95), method="inverted_cdf")
    return float(p50), float(p95)


def article_usage(
    listed: Sequence[ArticleSummary],
    asked: Sequence[QuestionRecord],
    views: Mapping[str, int],
    votes: Mapping[str, Votes],
    today: date,
) -> ArticlesUsage:
    """How each article served the questions `asked`."""
    cited = Counter(id for entry in asked for id in set(entry.cited))
    retrieved = Counter(id for entry in asked for id in set(entry.retrieved))
    uses = [
        ArticleUsage(
            article,
            cited[article.id],
            retrieved[article.id],
            votes.get(article.id, Votes()),
            article.views + views.get(article.id, 0),
        )
        for article in listed
    ]
    uses.sort(key=lambda entry: (-entry.cited, -entry.retrieved, entry.article.title.casefold()))
    stale = [entry for entry in uses if entry.cited and _age(entry.article, today) >= STALE]
    unused = [entry.article for entry in uses if not entry.retrieved]
    return ArticlesUsage(tuple(entry for entry in uses if entry.cited), tuple(unused), tuple(stale))


def _age(article: ArticleSummary, today: date) -> int:
    return (today - article.updated).days if article.updated else 0


def similar_pairs(
    listed: Sequence[ArticleSummary], vectors: FloatMatrix, least: float = ALIKE
) -> tuple[SimilarPair, ...]:
    """Pairs with a cosine of at least `least`. `vectors`: one unit row an article, in the order of `listed`.

    Of more than 10,000 articles the first ones are compared: the time grows with the square.
    """
    compared = np.asarray(vectors[:_MOST_COMPARED])
    pairs: list[SimilarPair] = []
    for start in range(0, len(compared), _BLOCK):
        block = compared[start : start + _BLOCK] @ compared.T
        for row, column in np.argwhere(block >= least).tolist():
            if start + row < column:
                pairs.append(SimilarPair(listed[start + row], listed[column], float(block[row, column])))
    return tuple(sorted(pairs, key=lambda pair: -pair.similarity))
