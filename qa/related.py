"""Articles related to an article: close in meaning, sharing informative tags, each with a reason in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from indexes.snapshot import Snapshot
from indexes.types import Article
from qa.links import Links
from qa.types import Related

_MEANING, _TAGS = 0.75, 0.25  # shares of the score
_DUPLICATE = 0.97  # cosine from which two articles are taken for the same text
_CLOSEST = 100  # articles closest in meaning, among which shared tags decide
_LEAST = 0.3  # score below which nothing is called related


def related(
    snapshot: Snapshot, article: Article, limit: int, links: Links, without: Sequence[str] = ()
) -> list[Related]:
    """The `limit` articles most related to `article`, best first.

    Never itself nor those in `without`, and no two, the article included, that are nearly the same text.
    """
    table, vectors = snapshot.articles, snapshot.article_vectors
    ids = table.ids()
    own = table.place(article.id)
    closeness = vectors @ vectors[own]
    near = [
        place
        for place in np.argsort(-closeness, kind="stable")[:_CLOSEST].tolist()
        if ids[place] not in (article.id, *without)
    ]
    tags = {place: _shared_weight(article.tags, table.tags_of(ids[place]), table.rarity) for place in near}
    scored = [(_MEANING * float(closeness[place]) + _TAGS * tags[place], place) for place in near]
    chosen: list[tuple[float, int]] = []
    for score, place in sorted(scored, key=lambda entry: (-entry[0], entry[1])):
        if len(chosen) == limit or score < _LEAST:
            break
        if all(vectors[place] @ vectors[other] <= _DUPLICATE for other in (own, *(other for _, other in chosen))):
            chosen.append((score, place))
    return [_related(table.article(ids[place]), article, score, table.rarity, links) for score, place in chosen]


def _shared(one: Sequence[str], other: Sequence[str]) -> list[str]:
    folded = {tag.casefold() for tag in other}
    return [tag for tag in one if tag.casefold() in folded]


def _shared_weight(one: Sequence[str], other: Sequence[str], rarity: Mapping[str, float]) -> float:
    """Weighted Jaccard similarity of two tag lists."""
    shared = sum(rarity.get(tag, 1.0) for tag in _shared(one, other))
    either = sum(rarity.get(tag, 1.0) for tag in {*one, *other})
    return shared / either if either else 0.0


def _related(
    found: Article | None, article: Article, score: float, rarity: Mapping[str, float], links: Links
) -> Related:
    assert found is not None  # its id comes from the same snapshot
    return Related(found.id, found.title, links.article(found.id), round(score, 4), _reason(article, found, rarity))


def _reason(article: Article, found: Article, rarity: Mapping[str, float]) -> str:
    shared = sorted(_shared(article.tags, found.tags), key=lambda tag: -rarity.get(tag, 1.0))
    if shared:
        return f"same topic: {', '.join(shared[:3])}"
    return f"close in meaning: {', '.join(found.tags[:3])}" if found.tags else "close in meaning"
