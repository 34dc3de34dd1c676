"""Which articles does a reader look for, by words that may be mistyped, tags and order?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from threading import Lock
from typing import Any, Literal, TypeAlias
from weakref import WeakKeyDictionary

from rapidfuzz import process
from rapidfuzz.distance import OSA

from indexes.snapshots.article_table import ArticleSummary
from indexes.snapshots.snapshot import Snapshot
from indexes.types import Filter

Order: TypeAlias = Literal["relevance", "featured", "newest", "views", "title"]
TagCount: TypeAlias = tuple[str, int]

_WORD = re.compile(r"[^\W_]+")
_SHARES = {"title": 4.0, "tags": 2.0, "summary": 1.0}  # of a word found there; a whole word counts more than a part
_WHOLE, _START, _PART = 1.0, 0.7, 0.4


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to list. `words`: each must occur in title, summary or tags. The filter's tags are spelled as stored."""

    words: str = ""
    filter: Filter = field(default_factory=Filter)
    featured: bool | None = None
    order: Order | None = None  # None: relevance for a search, featured first otherwise


@dataclass(frozen=True, slots=True)
class Selection:
    """All matching articles in order, their tags, and the tags that would widen or narrow them.

    `corrected` is what was searched for in place of words that no article has; "" if they were searched for as typed.
    """

    articles: tuple[ArticleSummary, ...]
    tags: tuple[TagCount, ...]
    offered: tuple[TagCount, ...]
    corrected: str


class Catalogue:
    """Selects from a snapshot's articles. Safe to call from many threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._shelves: WeakKeyDictionary[Snapshot, _CatalogueIndex] = WeakKeyDictionary()

    def select(self, snapshot: Snapshot, wanted: Wanted, views: Mapping[str, int]) -> Selection:
        """`views` are added to the figures of the articles."""
        shelf = self._shelf(snapshot)
        words = [word.casefold() for word in wanted.words.split()]
        scores, corrected = shelf.search(words), ""
        if words and not scores and (mended := shelf.mended(words)):
            scores, corrected = shelf.search(mended), " ".join(mended)
        found = [
            replace(entry.listed, views=entry.listed.views + views.get(entry.listed.id, 0))
            for place, entry in enumerate(shelf.entries)
            if place in scores and wanted.featured in (None, entry.listed.featured)
        ]
        relevance = {shelf.entries[place].listed.id: score for place, score in scores.items()}
        matching = [article for article in found if _passes(article, wanted.filter)]
        # With "any", one more tag adds articles: its count is not among those already chosen.
        offered = matching if wanted.filter.mode == "all" else found
        return Selection(
            tuple(_ordered(matching, wanted.order or ("relevance" if words else "featured"), relevance)),
            _counted(matching),
            _counted(offered),
            corrected,
        )

    def _shelf(self, snapshot: Snapshot) -> _CatalogueIndex:
        with self._lock:
            shelf = self._shelves.get(snapshot)
            if shelf is None:
                shelf = self._shelves[snapshot] = _CatalogueIndex(snapshot.articles.listed())
            return shelf


@dataclass(frozen=True, slots=True)
class _CatalogueEntry:
    """An article with its words, folded, by where they stand."""

    listed: ArticleSummary
    texts: Mapping[str, str]
    words: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, listed: ArticleSummary) -> _CatalogueEntry:
        texts = {
            "title": listed.title.casefold(),
            "tags": "\n".join(listed.tags).casefold(),
            "summary": listed.summary.casefold(),
        }
        return cls(listed, texts, {place: frozenset(_WORD.findall(text)) for place, text in texts.items()})

    def score(self, word: str) -> float:
        """How well a word fits; 0 if it does not occur."""
        return sum(share * self._in(place, word) for place, share in _SHARES.items() if word in self.texts[place])

    def _in(self, place: str, word: str) -> float:
        if word in self.words[place] or word == self.texts[place]:
            return _WHOLE
        return _START if any(own.startswith(word) for own in self.words[place]) else _PART


class _CatalogueIndex:
    """The entries of one snapshot."""

    def __init__(self, listed: Iterable[ArticleSummary]) -> None:
        self.entries = [_CatalogueEntry.of(article) for article in listed]

    def search(self, words: Sequence[str]) -> dict[int, float]:
        """Place → score of the entries in which every word occurs."""
        found = dict.fromkeys(range(len(self.entries)), 0.0)
        for word in words:
            scores = {place: self.entries[place].score(word) for place in found}
            found = {place: found[place] + score for place, score in scores.items() if score}
        return found

    def mended(self, words: Sequence[str]) -> list[str]:
        """The words with those that occur nowhere replaced by near ones; [] if that changes or helps nothing."""
        mended = [word if any(entry.score(word) for entry in self.entries) else self._near(word) for word in words]
        return mended if all(mended) and mended != list(words) else []

    @cached_property
    def _vocabulary(self) -> Counter[str]:
        return Counter(word for entry in self.entries for own in entry.words.values() for word in own if len(word) > 2)

    def _near(self, word: str) -> str:
        """The known word fewest typing errors away, or the one that `word` may be the beginning of; "" for none."""
        if not 3 <= len(word) <= 40:
            return ""
        most = 1 if len(word) < 5 else 2
        found = process.extract(word, list(self._vocabulary), scorer=OSA.distance, score_cutoff=most, limit=10)
        if not found:
            starts = {known[: len(word)]: known for known in self._vocabulary if len(known) > len(word)}
            hits = process.extract(word, list(starts), scorer=OSA.distance, score_cutoff=1, limit=10)
            found = [(starts[start], distance, place) for start, distance, place in hits]
        ranked = sorted(found, key=lambda hit: (hit[1], -self._vocabulary[hit[0]], hit[0]))
        return ranked[0][0] if ranked else ""


def _passes(article: ArticleSummary, filter: Filter) -> bool:
    if not filter.tags:
        return True
    carried = [tag in article.tags for tag in filter.tags]
    return any(carried) if filter.mode == "any" else all(carried)


_BY: dict[Order, tuple[str, ...]] = {  # the deciding thing last: sorting is stable
    "title": (),
    "newest": ("featured", "updated"),
    "featured": ("updated", "featured"),
    "views": ("updated", "featured", "views"),
    "relevance": ("updated", "featured", "relevance"),
}


def _ordered(articles: Iterable[ArticleSummary], order: Order, relevance: Mapping[str, float]) -> list[ArticleSummary]:
    keys: dict[str, Callable[[ArticleSummary], Any]] = {
        "featured": lambda article: article.featured,
        "updated": lambda article: article.updated or date.min,
        "views": lambda article: article.views,
        "relevance": lambda article: relevance[article.id],
    }
    found = sorted(articles, key=lambda article: article.title.casefold())
    for thing in _BY[order]:
        found.sort(key=keys[thing], reverse=True)
    return found


def _counted(articles: Iterable[ArticleSummary]) -> tuple[TagCount, ...]:
    counts = Counter(tag for article in articles for tag in article.tags)
    return tuple(sorted(counts.items(), key=lambda count: (-count[1], count[0].casefold())))
