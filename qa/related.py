"""Articles related to an article: close in meaning, sharing informative tags, each with a reason in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

from indexes.search.vectors import products
from indexes.types import Article
from qa.corpus import Corpus
from qa.links import Links
from qa.per_snapshot_cache import PerSnapshotCache
from qa.types import Related

_MEANING, _TAGS = 0.75, 0.25  # shares of the score
_DUPLICATE = 0.97  # cosine from which two articles are taken for the same text
_CLOSEST = 100  # articles closest in meaning, among which shared tags decide
_LEAST = 0.3  # score below which nothing is called related
_Near: TypeAlias = tuple[tuple[float, int], ...]  # (score, place of the article)
_remembered: PerSnapshotCache[str, _Near] = PerSnapshotCache(most=1_000)
_described: PerSnapshotCache[tuple[str, int, Links], Related] = PerSnapshotCache(most=4_000)


def related(snapshot: Corpus, article: Article, limit: int, links: Links, without: Sequence[str] = ()) -> list[Related]:
    """The `limit` articles most related to `article`, best first.

    Never itself nor those in `without`, and no two, the article included, that are nearly the same text.
    """
    table, vectors = snapshot.articles, snapshot.article_vectors
    ids = table.ids()
    own = table.place(article.id)
    chosen: list[tuple[float, int]] = []
    for score, place in _near(snapshot, article):
        if len(chosen) == limit or score < _LEAST:
            break
        if ids[place] in (article.id, *without):
            continue
        if all(vectors[place] @ vectors[other] <= _DUPLICATE for other in (own, *(other for _, other in chosen))):
            chosen.append((score, place))
    return [_related(snapshot, article, place, score, links) for score, place in chosen]


def _near(snapshot: Corpus, article: Article) -> _Near:
    """The articles closest in meaning, the most related first. Of a popular article it is asked again and again."""
    known = _remembered.of(snapshot)
    if article.id not in known:
        table, vectors = snapshot.articles, snapshot.article_vectors
        ids = table.ids()
        closeness = products(vectors, vectors[table.place(article.id)])
        scored = []
        for place in np.argsort(-closeness, kind="stable")[:_CLOSEST].tolist():
            tags = _shared_weight(article.tags, table.tags_of(ids[place]), table.rarity)
            scored.append((_MEANING * float(closeness[place]) + _TAGS * tags, place))
        known[article.id] = tuple(sorted(scored, key=lambda entry: (-entry[0], entry[1])))
    return known[article.id]


def _shared(one: Sequence[str], other: Sequence[str]) -> list[str]:
    folded = {tag.casefold() for tag in other}
    return [tag for tag in one if tag.casefold() in folded]


def _shared_weight(one: Sequence[str], other: Sequence[str], rarity: Mapping[str, float]) -> float:
    """Weighted Jaccard similarity of two tag lists."""
    shared = sum(rarity.get(tag, 1.0) for tag in _shared(one, other))
    either = sum(rarity.get(tag, 1.0) for tag in {*one, *other})
    return shared / either if either else 0.0


def _related(snapshot: Corpus, article: Article, place: int, score: float, links: Links) -> Related:
    known, key = _described.of(snapshot), (article.id, place, links)
    if key not in known:
        table = snapshot.articles
        found = table.article(table.ids()[place])
        assert found is not None  # its place is of the same snapshot
        reason = _reason(article, found, table.rarity)
        known[key] = Related(found.id, found.title, links.article(found.id), round(score, 4), reason)
    return known[key]


def _reason(article: Article, found: Article, rarity: Mapping[str, float]) -> str:
    shared = sorted(_shared(article.tags, found.tags), key=lambda tag: -rarity.get(tag, 1.0))
    if shared:
        return f"same topic: {', '.join(shared[:3])}"
    return f"close in meaning: {', '.join(found.tags[:3])}" if found.tags else "close in meaning"
