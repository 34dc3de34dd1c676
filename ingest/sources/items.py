"""What a source yields: articles still to be parsed, and inputs that could not be used."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass, field
from typing import Protocol, TypeAlias

from indexes.types import Article, Category

_PARSER_VERSION = "3"  # raise it when the same bytes parse to a different article


@dataclass(frozen=True, slots=True)
class SourceItem:
    """An article before parsing. Equal fingerprints mean that it would parse to the same article."""

    id: str
    origin: str  # for people: the file, or file:line
    category: Category
    fingerprint: str
    parse: Callable[[], Article]
    isolated: bool = False  # parse it in a process that can be stopped: it is large, or of a costly kind


@dataclass(frozen=True, slots=True)
class Skipped:
    """An input that could not be used, and why. `kept`: the version ingested before is still served.

    `under`: nothing whose id begins with it could be read, so that all such articles keep their last version.
    `confidential`: it was meant for some viewers only, so that others must not learn of it.
    """

    origin: str
    reason: str
    id: str = ""
    kept: bool = False
    under: str | None = None
    confidential: bool = False


SourceEntry: TypeAlias = SourceItem | Skipped


@dataclass(slots=True)
class Ignored:
    """What was passed over, counted for the report by ending or reason."""

    counts: Counter[str] = field(default_factory=Counter)


class Source(Protocol):
    """A source of articles. `name`: as the command line has it."""

    @property
    def name(self) -> str: ...

    def read(self, ignored: Ignored) -> Iterator[SourceEntry]:
        """Every article, in a stable order. Raises SourceMissing."""
        ...


def fingerprint(raw: bytes, kind: str, category: Category) -> str:
    """Identifies the article that `raw`, read as `kind` in `category`, parses to."""
    digest = hashlib.sha256(raw)
    digest.update("\x1f".join((_PARSER_VERSION, kind, *astuple(category))).encode())
    return digest.hexdigest()
