"""Finds articles related to an article by meaning and shared tags, each with a reason in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

from indexes.search.vectors import products
from indexes.types import Article
from qa.corpus import Corpus
from qa.links import Links
from qa.per_corpus_cache import PerCorpusCache
from qa.types import Related

# Chosen by eye on the bundled KB.
_MEANING_WEIGHT, _TAGS_WEIGHT = 0.75, 0.25
_DUPLICATE = 0.97  # cosine from which two articles count as copies of one text
_CLOSEST = 100  # articles closest in meaning, which shared tags may reorder
_LEAST = 0.2  # score below which no article counts as related
_ScoredRows: TypeAlias = tuple[tuple[float, int], ...]  # (score, row of the article in `article_vectors`)
_near_cache: PerCorpusCache[str, _ScoredRows] = PerCorpusCache(most=1_000)
_related_cache: PerCorpusCache[tuple[str, int, Links], Related] = PerCorpusCache(most=4_000)


def related(corpus: Corpus, article: Article, limit: int, links: Links, without: Sequence[str] = ()) -> list[Related]:
    """The `limit` articles most related to `article`, best first.

    Leaves out `article` itself, those in `without`, and near-duplicates of `article` or of one another.
    """
    table, vectors = corpus.articles, corpus.article_vectors
    ids = table.ids()
    article_row = table.number_of(article.id)
    chosen: list[tuple[float, int]] = []
    for score, row in _near(corpus, article):
        if len(chosen) == limit or score < _LEAST:
            break
        if ids[row] in (article.id, *without):
            continue
        if all(vectors[row] @ vectors[other] <= _DUPLICATE for other in (article_row, *(other for _, other in chosen))):
            chosen.append((score, row))
    return [_related(corpus, article, row, score, links) for score, row in chosen]


def _near(corpus: Corpus, article: Article) -> _ScoredRows:
    """The articles closest in meaning, most related first; cached, as popular articles are cited often."""
    known = _near_cache.of(corpus)
    if article.id not in known:
        table, vectors = corpus.articles, corpus.article_vectors
        ids = table.ids()
        closeness = products(vectors, vectors[table.number_of(article.id)])
        scored = []
        for row in np.argsort(-closeness, kind="stable")[:_CLOSEST].tolist():
            tags = _shared_weight(article.tags, table.tags_of(ids[row]), table.rarity)
            scored.append((_MEANING_WEIGHT * float(closeness[row]) + _TAGS_WEIGHT * tags, row))
        known[article.id] = tuple(sorted(scored, key=lambda entry: (-entry[0], entry[1])))
    return known[article.id]


def _shared_tags(one: Sequence[str], other: Sequence[str]) -> list[str]:
    folded = {tag.casefold() for tag in other}
    return [tag for tag in one if tag.casefold() in folded]


def _shared_weight(one: Sequence[str], other: Sequence[str], rarity: Mapping[str, float]) -> float:
    """Weighted Jaccard similarity of two tag lists."""
    shared = sum(rarity.get(tag, 1.0) for tag in _shared_tags(one, other))
    either = sum(rarity.get(tag, 1.0) for tag in {*one, *other})
    return shared / either if either else 0.0


def _related(corpus: Corpus, article: Article, row: int, score: float, links: Links) -> Related:
    known, key = _related_cache.of(corpus), (article.id, row, links)
    if key not in known:
        table = corpus.articles
        other = table.article(table.ids()[row])
        assert other is not None  # `row` comes from the same snapshot
        reason = _reason(article, other, table.rarity)
        known[key] = Related(other.id, other.title, links.article(other.id), round(score, 4), reason)
    return known[key]


def _reason(article: Article, other: Article, rarity: Mapping[str, float]) -> str:
    shared = sorted(_shared_tags(article.tags, other.tags), key=lambda tag: -rarity.get(tag, 1.0))
    if shared:
        return f"same topic: {', '.join(shared[:3])}"
    return f"close in meaning: {', '.join(other.tags[:3])}" if other.tags else "close in meaning"
