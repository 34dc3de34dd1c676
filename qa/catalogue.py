"""Lists articles by words that may be mistyped, tags and order."""

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

from indexes.types import ArticleSummary, Filter
from qa.corpus import Corpus

Order: TypeAlias = Literal["relevance", "featured", "newest", "views", "title"]
TagCount: TypeAlias = tuple[str, int]

_WORD = re.compile(r"[^\W_]+")
# Scores of a word by field and by how much of a stored word it covers, chosen by eye on the bundled KB.
_FIELD_WEIGHTS = {"title": 4.0, "tags": 2.0, "summary": 1.0}
_WHOLE, _START, _PART = 1.0, 0.7, 0.4


@dataclass(frozen=True, slots=True)
class ListingQuery:
    """What to list. `words`: each must occur in title, summary or tags. The filter's tags are spelled as stored."""

    words: str = ""
    filter: Filter = field(default_factory=Filter)
    featured: bool | None = None
    order: Order | None = None  # None: relevance for a search, featured first otherwise


@dataclass(frozen=True, slots=True)
class Selection:
    """All matching articles in order, their tags, and the tags to offer for widening or narrowing them.

    `corrected`: the words searched for in place of unknown ones; "" if they were searched for as typed.
    """

    articles: tuple[ArticleSummary, ...]
    tags: tuple[TagCount, ...]
    offered: tuple[TagCount, ...]
    corrected: str


class Catalogue:
    """Selects from a snapshot's articles. Safe to call from many threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._indexes: WeakKeyDictionary[Corpus, _CatalogueIndex] = WeakKeyDictionary()

    def select(self, corpus: Corpus, query: ListingQuery, views: Mapping[str, int]) -> Selection:
        """`views` are added to the figures of the articles."""
        index = self._index(corpus)
        words = [word.casefold() for word in query.words.split()]
        scores, corrected = index.search(words), ""
        if words and not scores and (mended := index.mended(words)):
            scores, corrected = index.search(mended), " ".join(mended)
        candidates = [
            replace(entry.listed, views=entry.listed.views + views.get(entry.listed.id, 0))
            for position, entry in enumerate(index.entries)
            if position in scores and query.featured in (None, entry.listed.featured)
        ]
        relevance = {index.entries[position].listed.id: score for position, score in scores.items()}
        matching = [article for article in candidates if _matches_tags(article, query.filter)]
        # With "any", one more tag adds articles: its count is not among those already chosen.
        offered = matching if query.filter.mode == "all" else candidates
        return Selection(
            tuple(_in_order(matching, query.order or ("relevance" if words else "featured"), relevance)),
            _tag_counts(matching),
            _tag_counts(offered),
            corrected,
        )

    def _index(self, corpus: Corpus) -> _CatalogueIndex:
        with self._lock:
            index = self._indexes.get(corpus)
            if index is None:
                index = self._indexes[corpus] = _CatalogueIndex(corpus.articles.listed())
            return index


@dataclass(frozen=True, slots=True)
class _CatalogueEntry:
    """An article with its case-folded texts and words by field."""

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
        return cls(listed, texts, {field: frozenset(_WORD.findall(text)) for field, text in texts.items()})

    def score(self, word: str) -> float:
        """How well a word fits; 0 if it occurs nowhere."""
        return sum(
            weight * self._match(field, word) for field, weight in _FIELD_WEIGHTS.items() if word in self.texts[field]
        )

    def _match(self, field: str, word: str) -> float:
        if word in self.words[field] or word == self.texts[field]:
            return _WHOLE
        return _START if any(stored.startswith(word) for stored in self.words[field]) else _PART


class _CatalogueIndex:
    """The entries of one snapshot, searchable by words."""

    def __init__(self, listed: Iterable[ArticleSummary]) -> None:
        self.entries = [_CatalogueEntry.of(article) for article in listed]

    def search(self, words: Sequence[str]) -> dict[int, float]:
        """The score of each entry in which every word occurs, by its position in `entries`."""
        totals = dict.fromkeys(range(len(self.entries)), 0.0)
        for word in words:
            scores = {position: self.entries[position].score(word) for position in totals}
            totals = {position: totals[position] + score for position, score in scores.items() if score}
        return totals

    def mended(self, words: Sequence[str]) -> list[str]:
        """The words with unknown ones replaced by similar ones; [] if nothing changes or a word stays unknown."""
        mended = [word if any(entry.score(word) for entry in self.entries) else self._near(word) for word in words]
        return mended if all(mended) and mended != list(words) else []

    @cached_property
    def _vocabulary(self) -> Counter[str]:
        return Counter(
            word for entry in self.entries for words in entry.words.values() for word in words if len(word) > 2
        )

    def _near(self, word: str) -> str:
        """The known word with the fewest typing errors to `word`, or one that starts like it; "" for none."""
        if not 3 <= len(word) <= 40:  # two letters are near anything, and no word is that long
            return ""
        most_errors = 1 if len(word) < 5 else 2
        hits = process.extract(word, list(self._vocabulary), scorer=OSA.distance, score_cutoff=most_errors, limit=10)
        if not hits:
            starts = {known[: len(word)]: known for known in self._vocabulary if len(known) > len(word)}
            near = process.extract(word, list(starts), scorer=OSA.distance, score_cutoff=1, limit=10)
            hits = [(starts[start], distance, position) for start, distance, position in near]
        ranked = sorted(hits, key=lambda hit: (hit[1], -self._vocabulary[hit[0]], hit[0]))
        return ranked[0][0] if ranked else ""


def _matches_tags(article: ArticleSummary, filter: Filter) -> bool:
    if not filter.tags:
        return True
    carried = [tag in article.tags for tag in filter.tags]
    return any(carried) if filter.mode == "any" else all(carried)


_SORT_KEYS: dict[Order, tuple[str, ...]] = {  # the deciding key last: sorting is stable
    "title": (),
    "newest": ("featured", "updated"),
    "featured": ("updated", "featured"),
    "views": ("updated", "featured", "views"),
    "relevance": ("updated", "featured", "relevance"),
}


def _in_order(articles: Iterable[ArticleSummary], order: Order, relevance: Mapping[str, float]) -> list[ArticleSummary]:
    keys: dict[str, Callable[[ArticleSummary], Any]] = {
        "featured": lambda article: article.featured,
        "updated": lambda article: article.updated or date.min,
        "views": lambda article: article.views,
        "relevance": lambda article: relevance[article.id],
    }
    ordered = sorted(articles, key=lambda article: article.title.casefold())
    for name in _SORT_KEYS[order]:
        ordered.sort(key=keys[name], reverse=True)
    return ordered


def _tag_counts(articles: Iterable[ArticleSummary]) -> tuple[TagCount, ...]:
    counts = Counter(tag for article in articles for tag in article.tags)
    return tuple(sorted(counts.items(), key=lambda count: (-count[1], count[0].casefold())))
