"""Computes how each article served the questions of a period: cited, considered, viewed, out of date."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from indexes.types import ArticleSummary
from qa.journal.article_views import Votes
from qa.journal.records import QuestionRecord

STALE = 365  # days without a change from which a cited article should be reviewed; a convention, not measured


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
    """`used` in order of citations; `unused` were considered for no question; `stale` are cited although old."""

    used: tuple[ArticleUsage, ...]
    unused: tuple[ArticleSummary, ...]
    stale: tuple[ArticleUsage, ...]


def article_usage(
    listed: Sequence[ArticleSummary],
    records: Sequence[QuestionRecord],
    views: Mapping[str, int],
    votes: Mapping[str, Votes],
    today: date,
) -> ArticlesUsage:
    """How each article of `listed` served the questions of `records`."""
    cited = Counter(id for record in records for id in set(record.cited))
    retrieved = Counter(id for record in records for id in set(record.retrieved))
    usages = [
        ArticleUsage(
            article,
            cited[article.id],
            retrieved[article.id],
            votes.get(article.id, Votes()),
            article.views + views.get(article.id, 0),
        )
        for article in listed
    ]
    usages.sort(key=lambda usage: (-usage.cited, -usage.retrieved, usage.article.title.casefold()))
    return ArticlesUsage(
        used=tuple(usage for usage in usages if usage.cited),
        unused=tuple(usage.article for usage in usages if not usage.retrieved),
        stale=tuple(usage for usage in usages if usage.cited and _age_in_days(usage.article, today) >= STALE),
    )


def _age_in_days(article: ArticleSummary, today: date) -> int:
    return (today - article.updated).days if article.updated else 0
