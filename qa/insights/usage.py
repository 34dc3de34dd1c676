"""Reports for the keepers of the knowledge base, from the journal and the snapshot being served."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from operator import attrgetter
from threading import Lock
from typing import Protocol
from weakref import WeakKeyDictionary

import numpy as np
from cachetools import LRUCache, cachedmethod

from indexes.types import FloatMatrix, FloatVector, Viewer
from qa.audiences import may_see
from qa.corpus import Corpus
from qa.insights.article_usage import ArticlesUsage, article_usage
from qa.insights.content_gaps import Gap, apart, grouped, unanswered
from qa.insights.figures import UsageFigures, figures
from qa.insights.similar_articles import SimilarPair, similar_pairs
from qa.journal.article_views import Views
from qa.journal.records import QuestionRecord
from qa.retrieval import QuestionEmbedder

_MOST_VECTORS = 4_000  # cached question vectors: 6 MB at 384 dimensions


class QuestionLog(Protocol):
    def asked_since(self, moment: datetime) -> tuple[QuestionRecord, ...]:
        """Every question asked at `moment` or later, oldest first. Raises JournalUnavailable."""


class Insights:
    """Computes the reports. Methods raise JournalUnavailable."""

    def __init__(
        self,
        questions: QuestionLog,
        views: Views,
        embedder: QuestionEmbedder | None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._questions = questions
        self._views = views
        self._now = now
        self._question_vectors = _QuestionVectors(embedder) if embedder else None
        self._similar_pairs: WeakKeyDictionary[Corpus, tuple[SimilarPair, ...]] = WeakKeyDictionary()

    def asked(self, days: int, viewer: Viewer, whole: Corpus) -> tuple[QuestionRecord, ...]:
        """The questions of the last `days` days, today included, oldest first.

        Leaves out those whose answers show articles that `viewer` may not read, as `whole`, the unfiltered snapshot,
        tells.
        """
        first = self._today() - timedelta(days=days - 1)
        records = self._questions.asked_since(datetime(first.year, first.month, first.day, tzinfo=UTC))
        return tuple(record for record in records if may_see(viewer, record.audiences, record.retrieved, whole))

    def figures(self, records: Sequence[QuestionRecord], days: int) -> UsageFigures:
        return figures(records, self._today(), days)

    def gaps(self, records: Sequence[QuestionRecord]) -> list[Gap]:
        """Unanswered questions by topic, most asked first; each on its own where there is no model."""
        questions = unanswered(records)
        if self._question_vectors is None:
            return apart(questions)
        return grouped(questions, self._question_vectors.of([question.text for question in questions]))

    def articles(self, corpus: Corpus, records: Sequence[QuestionRecord], days: int) -> ArticlesUsage:
        today = self._today()
        votes = self._views.votes_since(today - timedelta(days=days - 1))
        return article_usage(corpus.articles.listed(), records, self._views.all(), votes, today)

    def similar_pairs(self, corpus: Corpus) -> tuple[SimilarPair, ...]:
        """Pairs of articles that say much the same, most similar first; computed once per snapshot."""
        pairs = self._similar_pairs.get(corpus)
        if pairs is None:
            pairs = self._similar_pairs[corpus] = similar_pairs(corpus.articles.listed(), corpus.article_vectors)
        return pairs

    def _today(self) -> date:
        return self._now().date()


class _QuestionVectors:
    """A cache of question vectors: every report looks at the same questions again."""

    def __init__(self, embedder: QuestionEmbedder) -> None:
        self._embedder = embedder
        self._vectors: LRUCache[str, FloatVector] = LRUCache(_MOST_VECTORS)
        self._lock = Lock()

    def of(self, texts: Sequence[str]) -> FloatMatrix:
        """Shape (len(texts), dimension), unit rows."""
        rows = [self._vector(text) for text in texts]
        return np.stack(rows) if rows else np.zeros((0, 1), dtype=np.float32)

    @cachedmethod(attrgetter("_vectors"), lock=attrgetter("_lock"))
    def _vector(self, text: str) -> FloatVector:
        vector: FloatVector = self._embedder.embed_question(text)[0]
        return vector
