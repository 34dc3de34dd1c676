"""The words the whole project speaks: Article, Chunk, Quotable, Hit, Filter."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

FloatMatrix: TypeAlias = npt.NDArray[np.float32]  # (n, dimension), rows of unit length
SpanMatrix: TypeAlias = npt.NDArray[np.int8]  # (spans, dimension), rows of length 127
FloatVector: TypeAlias = npt.NDArray[np.float32]  # (dimension,), unit length
Chunks: TypeAlias = npt.NDArray[np.int64]  # chunk numbers of one snapshot
ChunkMask: TypeAlias = npt.NDArray[np.bool_]  # (chunks,), True where a chunk may be returned
TagMode: TypeAlias = Literal["any", "all"]
Audience: TypeAlias = tuple[str, ...]  # groups whose members may read an article; none: everyone
Sort: TypeAlias = Literal["featured", "newest", "views", "title"]  # of a listing
QuotableKind: TypeAlias = Literal["sentence", "item", "list", "code", "table"]


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who reads: the groups they are in. `everything` is for those who can read the files of the index anyway."""

    groups: frozenset[str] = frozenset()
    everything: bool = False

    def may_read(self, audience: Sequence[str]) -> bool:
        """Whether an article for these groups is there for this reader. No groups: it is for everyone."""
        return self.everything or not audience or not self.groups.isdisjoint(audience)


ANYONE = Viewer()
KEEPER = Viewer(everything=True)


@dataclass(frozen=True, slots=True)
class PassageText:
    """What is embedded of a chunk, `text`, and the spans of it that get a vector each: (start, end) in code points."""

    text: str
    spans: tuple[tuple[int, int], ...] = ()

    @property
    def digest(self) -> str:
        """Equal digests mean equal text and equal spans, so that stored vectors can be reused."""
        return digest(f"{self.spans}\n{self.text}")


@dataclass(frozen=True, slots=True)
class EmbeddedPassage:
    """The vector of a passage, and one of each of its spans from the same reading of the model.

    Of a model that has none for spans, `spans` has no columns.
    """

    vector: FloatVector
    spans: SpanMatrix


@dataclass(frozen=True, slots=True)
class EmbeddedBatch:
    """Consecutive passages, embedded; `truncated` of them are longer than the model reads."""

    passages: tuple[EmbeddedPassage, ...]
    truncated: int


@dataclass(frozen=True, slots=True)
class Category:
    """A named part of the knowledge base, as its category page shows it."""

    name: str
    description: str = ""
    site_label: str = ""
    site_url: str = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of an article; `start` is its code-point offset in the article's Markdown."""

    level: int
    text: str
    anchor: str
    start: int


@dataclass(frozen=True, slots=True)
class Article:
    """One page of the knowledge base. Offsets anywhere in the project refer to `markdown`, in code points."""

    id: str
    title: str
    summary: str
    tags: tuple[str, ...]
    featured: bool
    views: int
    updated: date | None
    type: str
    category: str
    source_url: str | None
    markdown: str
    audience: tuple[str, ...] = ()  # groups whose members may read it; none: everyone


@dataclass(frozen=True, slots=True)
class Quotable:
    """A span an answer may quote whole, `markdown[start:end]`: a sentence, a list or an item of it, code, a table."""

    kind: QuotableKind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """What is embedded and retrieved: `article.markdown[start:end]` under its heading path."""

    article_id: str
    start: int
    end: int
    heading: tuple[str, ...]
    context: str  # title › headings: embedded and indexed with the text, never quoted
    quotables: tuple[Quotable, ...]


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk as a search finds it: with its number in the snapshot and its article."""

    number: int
    article: Article
    chunk: Chunk

    @property
    def text(self) -> str:
        return self.article.markdown[self.chunk.start : self.chunk.end]


@dataclass(frozen=True, slots=True)
class ArticleSummary:
    """An article as a listing shows it: without its Markdown."""

    id: str
    title: str
    summary: str
    tags: tuple[str, ...]
    featured: bool
    views: int
    updated: date | None
    type: str
    category: str
    source_url: str | None


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of articles and how many there are in all."""

    articles: tuple[Article, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk (its number in one snapshot) with its score in one ranking; higher is better."""

    chunk: int
    score: float


@dataclass(frozen=True, slots=True)
class Filter:
    """Restricts a search to articles carrying any, or all, of `tags`. No tags: everything."""

    tags: tuple[str, ...] = ()
    mode: TagMode = "any"


def embedded_text(chunk: Chunk, text: str) -> str:
    """What is embedded for a chunk whose own text is `text`."""
    return f"{chunk.context}\n{text}"


def passage_text(chunk: Chunk, text: str) -> PassageText:
    """What is embedded for a chunk whose own text is `text`; its spans are the context line's, then its quotables'.

    A quotable may begin before its chunk or end after it: its span is what lies within, or empty where nothing does.
    """
    shift = len(chunk.context) + 1 - chunk.start
    within = ((max(q.start, chunk.start), min(q.end, chunk.end)) for q in chunk.quotables)
    quotables = ((start + shift, end + shift) if start < end else (0, 0) for start, end in within)
    return PassageText(embedded_text(chunk, text), ((0, len(chunk.context)), *quotables))


def keyword_text(article: Article, chunk: Chunk) -> str:
    """What the keyword index holds for a chunk: its own text, and the words its article is known by."""
    own = embedded_text(chunk, article.markdown[chunk.start : chunk.end])
    return "\n".join([own, " ".join(article.tags), article.summary])


def digest(text: str) -> str:
    """A content hash: equal digests mean equal text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class IndexedArticle:
    """An article with all that is derived from it at ingest.

    `fingerprint` identifies its source: the bytes, the parser and the category (`ingest.sources.items.fingerprint`).
    """

    article: Article
    headings: tuple[Heading, ...]
    chunks: tuple[Chunk, ...]
    fingerprint: str
