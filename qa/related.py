"""Articles related to an article: close in meaning, sharing informative tags, each with a reason in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from indexes.snapshot import Snapshot
from indexes.types import Article
from qa.links import Links
from qa.types import Related

_MEANING, _TAGS = 0.75, 0.25  # shares of the score
_DUPLICATE = 0.97  # cosine from which two articles are taken for the same text
_LEAST = 0.3  # score below which nothing is called related


def related(
    snapshot: Snapshot, article: Article, limit: int, links: Links, without: Sequence[str] = ()
) -> list[Related]:
    """The `limit` articles most related to `article`, best first, never itself nor those in `without`."""
    table = snapshot.articles
    ids = table.ids()
    vectors = snapshot.article_vectors
    own = vectors[ids.index(article.id)]
    closeness = vectors @ own
    rarity = _rarity(snapshot)
    scores = _MEANING * closeness + _TAGS * np.array(
        [_shared_weight(article.tags, table.tags_of(id), rarity) for id in ids]
    )
    chosen: list[int] = []
    for place in np.argsort(-scores, kind="stable"):
        if len(chosen) == limit or scores[place] < _LEAST:
            break
        if ids[place] in (article.id, *without) or any(vectors[place] @ vectors[c] > _DUPLICATE for c in chosen):
            continue
        chosen.append(int(place))
    return [_related(table.article(ids[place]), article, float(scores[place]), rarity, links) for place in chosen]


def _rarity(snapshot: Snapshot) -> dict[str, float]:
    """How much sharing a tag says: the inverse share of articles that carry it, from 0 to 1."""
    total = max(2, snapshot.manifest.articles)
    return {tag: math.log(total / count) / math.log(total) for tag, count in snapshot.articles.tag_counts()}


def _shared(one: Sequence[str], other: Sequence[str]) -> list[str]:
    folded = {tag.casefold() for tag in other}
    return [tag for tag in one if tag.casefold() in folded]


def _shared_weight(one: Sequence[str], other: Sequence[str], rarity: dict[str, float]) -> float:
    """Weighted Jaccard similarity of two tag lists."""
    shared = sum(rarity.get(tag, 1.0) for tag in _shared(one, other))
    either = sum(rarity.get(tag, 1.0) for tag in {*one, *other})
    return shared / either if either else 0.0


def _related(found: Article | None, article: Article, score: float, rarity: dict[str, float], links: Links) -> Related:
    assert found is not None  # its id comes from the same snapshot
    return Related(found.id, found.title, links.article(found.id), round(score, 4), _reason(article, found, rarity))


def _reason(article: Article, found: Article, rarity: dict[str, float]) -> str:
    shared = sorted(_shared(article.tags, found.tags), key=lambda tag: -rarity.get(tag, 1.0))
    if shared:
        return f"same topic: {', '.join(shared[:3])}"
    return f"close in meaning: {', '.join(found.tags[:3])}" if found.tags else "close in meaning"
