"""Views and votes of articles, by day, without anything to tell a reader by.

A reader counts once an article and day. To know that, a hash of their address and browser is stored until the day ends,
keyed with a salt that is drawn anew each day and deleted with it, and different for every article: so no reader can be
followed from one day, or from one article, to the next.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal, Protocol, TypeAlias

ActKind: TypeAlias = Literal["view", "vote"]

_BOTS = re.compile(
    r"bot\b|crawl|spider|slurp|curl/|wget|python|httpx|scrapy|headless|monitor|preview|fetch|http-?client|^$", re.I
)


@dataclass(frozen=True, slots=True)
class Votes:
    """Answers to "Was this helpful?"."""

    yes: int = 0
    no: int = 0


@dataclass(frozen=True, slots=True)
class Act:
    """What a reader did with an article on a day. `helpful`: what a vote says."""

    kind: ActKind
    article_id: str
    day: date
    helpful: bool = True


class ViewStore(Protocol):
    """Stores figures of days. Every method raises JournalUnavailable."""

    def count_once(self, act: Act, mark: Callable[[bytes], bytes]) -> None:
        """Count an act, unless one of its kind has the same mark already. `mark` makes it of the salt of the day;
        with a new day, the marks and the salt of the day before are deleted.
        """

    def views(self) -> dict[str, int]:
        """Article id → views so far."""

    def views_of(self, article_id: str) -> int: ...

    def votes_since(self, day: date) -> dict[str, Votes]:
        """Article id → votes given on `day` or later."""


def _today() -> date:
    return datetime.now(UTC).date()


class Views:
    """Counts readers' views and votes. Every method raises JournalUnavailable."""

    def __init__(self, store: ViewStore, today: Callable[[], date] = _today) -> None:
        self._store = store
        self._today = today

    def count(self, article_id: str, address: str, browser: str) -> None:
        """A reader with this network address and user agent has opened an article. Robots do not count."""
        if not _BOTS.search(browser):
            self._count_once(Act("view", article_id, self._today()), address, browser)

    def vote(self, article_id: str, address: str, browser: str, helpful: bool) -> None:
        """The reader found the article helpful, or not; the first vote of a day counts."""
        self._count_once(Act("vote", article_id, self._today(), helpful), address, browser)

    def all(self) -> dict[str, int]:
        """Article id → views counted so far."""
        return self._store.views()

    def of(self, article_id: str) -> int:
        return self._store.views_of(article_id)

    def votes_since(self, day: date) -> dict[str, Votes]:
        """Article id → votes given on `day` or later."""
        return self._store.votes_since(day)

    def _count_once(self, act: Act, address: str, browser: str) -> None:
        reader = f"{act.article_id}\n{address}\n{browser}".encode()
        self._store.count_once(act, lambda salt: hashlib.blake2b(reader, key=salt, digest_size=12).digest())
