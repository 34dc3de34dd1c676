"""Caches what has been derived from a corpus, and forgets it with the corpus."""

from __future__ import annotations

from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from qa.corpus import Corpus

Key = TypeVar("Key")
Value = TypeVar("Value")


class PerCorpusCache(Generic[Key, Value]):
    """A bounded dictionary for each corpus. Its values must not hold the corpus. Safe to share between threads:
    a plain dictionary, because reading from an LRU cache changes it and would need a lock for every passage.

    What one viewer may see is a corpus of its own, so nothing crosses from one to another.
    """

    def __init__(self, most: int) -> None:
        """`most`: entries for each corpus; when there are as many, it is emptied."""
        self._most = most
        self._caches: WeakKeyDictionary[Corpus, dict[Key, Value]] = WeakKeyDictionary()

    def of(self, corpus: Corpus) -> dict[Key, Value]:
        """The entries of `corpus`, to read and to add to."""
        cache = self._caches.setdefault(corpus, {})
        if len(cache) >= self._most:
            self._caches[corpus] = cache = {}
        return cache
