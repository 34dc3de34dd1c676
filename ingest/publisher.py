"""What an ingest needs of the index it writes. `indexes.snapshots.publisher` implements it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from indexes.snapshots.drafting import Draft
from indexes.snapshots.ingest_log import IngestRecord
from indexes.snapshots.snapshot import Manifest
from indexes.types import EmbeddedPassage, IndexedArticle


class StoredArticles(Protocol):
    """The articles of a generation."""

    def fingerprints(self) -> Mapping[str, str]:
        """Article id → digest of its source, in stored order."""
        ...

    def categories_of(self) -> Mapping[str, str]:
        """Article id → the name of its category."""
        ...

    def audience_of(self, article_id: str) -> tuple[str, ...]: ...

    def indexed(self, article_id: str) -> IndexedArticle | None: ...


class Generation(Protocol):
    """The published generation that the next one is compared with and made from."""

    @property
    def manifest(self) -> Manifest: ...

    @property
    def articles(self) -> StoredArticles: ...

    def embedded_by_digest(self, digests: Iterable[str]) -> Mapping[str, EmbeddedPassage]:
        """Content digest → vectors, for those that are stored."""
        ...


class IndexWriter(Protocol):
    """The index, held by one ingest alone."""

    @property
    def previous(self) -> Generation | None: ...

    @property
    def notes(self) -> tuple[str, ...]:
        """Why the index must be written anew even if nothing has changed; empty where it is whole."""
        ...

    def publish(self, draft: Draft) -> Manifest:
        """Make `draft` the current generation in one step. Raises SnapshotNotWritten; the old one then stays."""
        ...

    def finish(self, record: IngestRecord) -> None:
        """Note what the ingest did, and remove generations that are kept no longer."""
        ...


class Publisher(Protocol):
    """Hands out the index to be written, to one ingest at a time."""

    @property
    def workspace(self) -> Path:
        """A folder for what an ingest puts aside until it is published."""
        ...

    def writing(self) -> AbstractContextManager[IndexWriter]:
        """Raises IndexBusy where another process writes, SnapshotTooNew where a newer Footnote has written."""
        ...
