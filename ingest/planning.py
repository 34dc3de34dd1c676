"""What an ingest has to do: which articles are new or changed, which stay as they are stored, which are gone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from indexes.types import Category, IndexedArticle
from ingest.errors import ArticleRejected, AudienceUnclear
from ingest.publisher import Generation
from ingest.sources.items import Skipped, SourceEntry, SourceItem

Progress: TypeAlias = Callable[[str, int, int], None]  # (what is being done, done, of how many)
Index: TypeAlias = Callable[[SourceItem], IndexedArticle]  # raises ArticleRejected


@dataclass(slots=True)
class Plan:
    """The next snapshot: `articles` are written anew, `carried` (ids) are taken over as they are stored."""

    articles: list[IndexedArticle] = field(default_factory=list)
    carried: list[str] = field(default_factory=list)
    categories: dict[str, Category] = field(default_factory=dict)
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    removed: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        return not (self.articles or self.carried)


class Planner:
    """Compares what the sources hold with the last snapshot. Parses no article whose fingerprint is unchanged."""

    def __init__(self, previous: Generation | None, index: Index, progress: Progress, *, carry: bool) -> None:
        """`carry`: stored articles were made as new ones would be, so that they can be taken over."""
        self._previous = previous
        self._index = index
        self._progress = progress
        self._carry = carry
        self._known = previous.articles.fingerprints() if previous else {}
        self._categories = previous.articles.categories_of() if previous else {}
        self._seen: dict[str, str] = {}  # id → origin
        self._withdrawn: set[str] = set()  # ids of articles of which nobody knows whom they are for
        self._plan = Plan()

    def plan(self, found: Iterable[SourceEntry]) -> Plan:
        for item in found:
            if isinstance(item, Skipped):
                self._skip(item)
            elif item.id in self._seen:
                reason = f"its id {item.id!r} is taken by {self._seen[item.id]}: rename it"
                self._plan.skipped.append(Skipped(item.origin, reason))
            else:
                self._take(item)
            self._progress("Reading", len(self._seen), 0)
        self._keep_unseen()
        self._plan.removed = tuple(id for id in self._known if id not in self._seen)
        return self._plan

    def _take(self, item: SourceItem) -> None:
        plan, same = self._plan, self._known.get(item.id) == item.fingerprint
        if same and self._carry:
            self._keep(item.id, item.origin, item.category)
            return
        try:
            entry = self._index(item)
        except AudienceUnclear as error:
            self._withdrawn.add(item.id)
            self._plan.skipped.append(
                Skipped(item.origin, f"{error}; until then it is not served", item.id, confidential=True)
            )
            return
        except ArticleRejected as error:
            self._skip(Skipped(item.origin, str(error), item.id))
            return
        self._seen[item.id] = item.origin
        plan.articles.append(entry)
        plan.categories.setdefault(entry.article.category, _named(item.category, entry.article.category))
        kind = plan.unchanged if same else plan.changed if item.id in self._known else plan.added
        kind.append(item.id)

    def _skip(self, skipped: Skipped) -> None:
        """Report it; if it was ingested before, its last version stays: nothing is lost to a typing error."""
        stays = skipped.id in self._known and skipped.id not in {*self._seen, *self._withdrawn}
        if stays:
            self._keep(skipped.id, skipped.origin)
        self._plan.skipped.append(replace(skipped, kept=stays))

    def _keep_unseen(self) -> None:
        """Of a folder that could not be looked at, every article keeps its last version."""
        for number, skipped in enumerate(self._plan.skipped):
            hidden = [] if skipped.under is None else self._unseen(skipped.under)
            for id in hidden:
                self._keep(id, skipped.origin)
            if hidden:
                self._plan.skipped[number] = replace(skipped, kept=True)

    def _unseen(self, under: str) -> list[str]:
        gone = {*self._seen, *self._withdrawn}
        return [id for id in self._known if id.startswith(under) and id not in gone]

    def _keep(self, id: str, origin: str, category: Category | None = None) -> None:
        """The stored version of an article stays; where stored ones cannot be taken over, it is written again."""
        name = self._categories[id]
        self._seen[id] = origin
        self._plan.unchanged.append(id)
        self._plan.categories.setdefault(name, _named(category or Category(name), name))
        if self._carry:
            self._plan.carried.append(id)
        elif self._previous and (stored := self._previous.articles.indexed(id)):
            self._plan.articles.append(stored)


def _named(category: Category, name: str) -> Category:
    """The category an article is shown under: its own word for it wins over the folder's."""
    return category if category.name == name else Category(name)
