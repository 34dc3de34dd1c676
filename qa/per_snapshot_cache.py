"""What has been derived from a snapshot, kept for the next question and forgotten with the snapshot."""

from __future__ import annotations

from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from qa.corpus import Corpus

Key = TypeVar("Key")
Value = TypeVar("Value")


class PerSnapshotCache(Generic[Key, Value]):
    """A bounded dictionary a snapshot. Its values must not hold the snapshot. Safe to share between threads.

    What one reader may see is a snapshot of its own, so nothing crosses from one to another.
    """

    def __init__(self, most: int) -> None:
        """`most`: entries kept a snapshot; when there are as many, it begins anew."""
        self._most = most
        self._kept: WeakKeyDictionary[Corpus, dict[Key, Value]] = WeakKeyDictionary()

    def of(self, corpus: Corpus) -> dict[Key, Value]:
        """What is kept for `corpus`, to read and to add to."""
        kept = self._kept.setdefault(corpus, {})
        if len(kept) >= self._most:
            self._kept[corpus] = kept = {}
        return kept
