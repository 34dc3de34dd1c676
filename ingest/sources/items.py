"""What a source yields: articles still to be parsed, and what could not be used."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass, field
from typing import Protocol, TypeAlias

from indexes.types import Article, Category

_PARSER_VERSION = "3"  # raise it when the same bytes parse to another article


@dataclass(frozen=True, slots=True)
class SourceItem:
    """An article before it is parsed. Equal fingerprints mean that it would parse to the same article."""

    id: str
    origin: str  # for people: the file, or file:line
    category: Category
    fingerprint: str
    parse: Callable[[], Article]
    isolated: bool = False  # parse it where it can be stopped: it is large, or of a kind that is costly to read


@dataclass(frozen=True, slots=True)
class Skipped:
    """What could not be used, and why. `kept`: the version ingested before still serves.

    `under`: nothing whose id begins with it could be looked at, so all that is known of it keeps its last version.
    `confidential`: it was meant for some readers only, so that others must not learn of it.
    """

    origin: str
    reason: str
    id: str = ""
    kept: bool = False
    under: str | None = None
    confidential: bool = False


Found: TypeAlias = SourceItem | Skipped


@dataclass(slots=True)
class Ignored:
    """Files that are no articles by their ending, counted so that nothing goes unsaid."""

    by_ending: Counter[str] = field(default_factory=Counter)


class Source(Protocol):
    """Where articles come from. `name` is what people call it by on the command line."""

    @property
    def name(self) -> str: ...

    def read(self, ignored: Ignored) -> Iterator[Found]:
        """Every article, in a stable order. Raises SourceMissing."""
        ...


def fingerprint(raw: bytes, kind: str, category: Category) -> str:
    """Names the article that `raw`, read as a `kind` of file in `category`, parses to."""
    digest = hashlib.sha256(raw)
    digest.update("\x1f".join((_PARSER_VERSION, kind, *astuple(category))).encode())
    return digest.hexdigest()
