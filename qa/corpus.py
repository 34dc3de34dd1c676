"""What `qa` needs from an index: a `Corpus` of articles and chunks, handed out by a `CorpusStore`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from indexes.search.candidates import Candidates, SearchProbe
from indexes.snapshots.ingest_log import IngestRecord
from indexes.types import (
    Article,
    ArticleSummary,
    Audience,
    Category,
    Chunks,
    Filter,
    FloatMatrix,
    FloatVector,
    Heading,
    Hit,
    Listing,
    Sort,
    SpanMatrix,
    StoredChunk,
    Viewer,
)


class Vocabulary(Protocol):
    """The terms of a corpus."""

    def occurs(self, term: str) -> bool:
        """Whether any chunk holds the term."""

    def rarity(self, term: str) -> float:
        """The inverse document frequency of a term; highest for one that never occurs."""

    def near(self, term: str, errors: int, limit: int) -> Sequence[str]:
        """Terms with the same first letter that are at most so many typing errors away, the nearest first."""


class Articles(Protocol):
    """The articles of a corpus, their tags and headings."""

    @property
    def rarity(self) -> Mapping[str, float]:
        """How much sharing a tag says, from 0 (all articles carry it) to 1."""

    def article(self, article_id: str) -> Article | None: ...

    def headings(self, article_id: str) -> tuple[Heading, ...]: ...

    def audience_of(self, article_id: str) -> Audience: ...

    def categories(self) -> Sequence[Category]: ...

    def ids(self) -> Sequence[str]:
        """The id of every article, in stored order."""

    def number_of(self, article_id: str) -> int:
        """The index of an article in `ids`. Raises KeyError for an unknown one."""

    def listed(self) -> Sequence[ArticleSummary]: ...

    def listing(self, filter: Filter = ..., *, sort: Sort = ..., limit: int = ..., offset: int = ...) -> Listing: ...

    def tags(self) -> Sequence[str]: ...

    def tags_of(self, article_id: str) -> tuple[str, ...]: ...

    def tag_name(self, tag: str) -> str | None:
        """A tag as it is stored, whatever its case in `tag`; None if no article carries it."""

    def tag_counts(self, filter: Filter = ...) -> Sequence[tuple[str, int]]: ...


class Corpus(Protocol):
    """One immutable generation of the index, as one viewer may see it: chunks are numbered from 0 without gaps."""

    @property
    def generation(self) -> str: ...

    @property
    def created(self) -> str:
        """When it was published: ISO 8601, UTC."""

    @property
    def article_count(self) -> int: ...

    @property
    def chunk_count(self) -> int: ...

    @property
    def embedder(self) -> str:
        """The id of the embedding model that made its vectors."""

    @property
    def articles(self) -> Articles: ...

    @property
    def vocabulary(self) -> Vocabulary: ...

    @property
    def article_vectors(self) -> FloatMatrix:
        """One unit row an article, in the order of `articles.ids()`."""

    def candidates(self, probes: Sequence[SearchProbe], filter: Filter, depth: int) -> Candidates:
        """The first `depth` chunks of either index for each probe under `filter`, scored by both indexes."""

    def chunks(self, numbers: Sequence[int]) -> Sequence[StoredChunk]:
        """The chunks with these numbers, in the order asked for."""

    def vectors_of(self, chunks: Chunks) -> FloatMatrix:
        """Shape (len(chunks), dimension)."""

    def span_vectors(self, chunks: Chunks) -> Sequence[SpanMatrix] | None:
        """For each chunk its context line and its quotables, one row each, 127 times a unit vector.

        None where the index has none.
        """

    def owners(self, chunks: Sequence[int]) -> Sequence[str]:
        """The id of the article that each chunk belongs to."""

    def keyword_hits(self, terms: Mapping[str, float], limit: int) -> Sequence[Hit]: ...

    def vector_hits(self, vector: FloatVector, limit: int) -> Sequence[Hit]: ...


class CorpusStore(Protocol):
    """Hands out the corpus that is current."""

    @property
    def problem(self) -> str | None:
        """Why the newest generation is not the one that is served; None if it is."""

    def current(self) -> Corpus:
        """The whole corpus, whoever asks."""

    def keep_looking(self) -> None:
        """Follow new generations from a thread of its own from now on, so that no question waits for one."""

    def past_ingests(self, limit: int) -> Sequence[IngestRecord]:
        """The last ingests, newest first."""

    def seen_by(self, viewer: Viewer) -> Corpus:
        """The corpus as if what `viewer` may not read had never been written."""
