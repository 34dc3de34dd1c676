"""A snapshot: one immutable, verified generation of the index. Opened whole or not at all."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from indexes.errors import SnapshotDamaged, SnapshotIncompatible, SnapshotMissing, SnapshotTooNew
from indexes.files import file_digests, mapped, seal
from indexes.search import postings, spans
from indexes.search.candidates import Candidates, HybridSearch, SearchProbe
from indexes.search.flat import FlatVectors
from indexes.search.ivf import IvfIndex
from indexes.search.keywords import KeywordIndex
from indexes.search.postings import Postings
from indexes.search.spans import SpanVectors
from indexes.search.vectors import VectorIndex
from indexes.snapshots.article_table import ArticleTable
from indexes.types import (
    Audience,
    Chunks,
    EmbeddedPassage,
    Filter,
    FloatMatrix,
    FloatVector,
    Hit,
    SpanMatrix,
    StoredChunk,
    Viewer,
)

FORMAT_VERSION = 5
MANIFEST = "manifest.json"
ARTICLES = "articles.sqlite"
VECTORS = "vectors.faiss"
IVF = "ivf.faiss"  # only where it pays off
ARTICLE_VECTORS = "article_vectors.npy"
DATA_FILES = (ARTICLES, VECTORS, ARTICLE_VECTORS, *spans.FILES, *postings.FILES)  # every snapshot has these
CURRENT = "CURRENT"
_SEAL = "seal"
_VIEWS = 64  # kept of a snapshot: as many sets of groups as ask of it


@dataclass(frozen=True, slots=True)
class Manifest:
    """What made a snapshot and what it holds. `files` maps a name to its SHA-256."""

    format_version: int
    generation: str
    created: str  # ISO 8601, UTC
    embedder: str
    dimension: int
    chunker: str
    sources: tuple[str, ...]
    articles: int
    chunks: int
    changes: dict[str, int] = field(default_factory=dict)  # added, changed, removed, skipped
    files: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """The manifest with a seal: the SHA-256 of all its other fields."""
        fields = asdict(self)
        return json.dumps({**fields, _SEAL: seal(fields)}, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Raises SnapshotMissing, SnapshotDamaged or SnapshotIncompatible."""
        try:
            fields = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            version = fields["format_version"]
        except FileNotFoundError as error:
            raise SnapshotMissing(f"No snapshot at {folder}: run `footnote ingest SOURCE`.") from error
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise _damaged(folder, f"{MANIFEST} cannot be read ({error})") from error
        # The seal first, which is the same in every format: rot in the version is damage, not another format.
        if fields.pop(_SEAL, "") != seal(fields):
            raise _damaged(folder, f"{MANIFEST} does not match its own SHA-256")
        if version != FORMAT_VERSION:
            raise _other_format(folder, version, fields.get("sources"))
        try:
            return cls(**{**fields, "sources": tuple(fields["sources"]), "files": dict(fields["files"])})
        except (TypeError, ValueError, KeyError) as error:
            raise _damaged(folder, f"{MANIFEST} lacks a field ({error})") from error


@dataclass(frozen=True, slots=True)
class _Indexes:
    """The open files of a snapshot but for its articles, mapped into memory. Its views share them."""

    postings: Postings
    vectors: FlatVectors
    ivf: IvfIndex | None
    spans: SpanVectors
    article_vectors: FloatMatrix  # (article rows, dimension): each the unit mean of its chunks' vectors

    @classmethod
    def open(cls, folder: Path, manifest: Manifest) -> _Indexes:
        ivf = IvfIndex.open(folder / IVF) if IVF in manifest.files else None
        vectors, article_vectors = FlatVectors.open(folder / VECTORS), mapped(folder / ARTICLE_VECTORS)
        return cls(Postings.open(folder), vectors, ivf, SpanVectors.open(folder), article_vectors)


class Snapshot:
    """An open generation: its articles, keyword index and vector index, all over the same chunks."""

    def __init__(self, path: Path, manifest: Manifest, indexes: _Indexes, articles: ArticleTable) -> None:
        self.path = path
        self.manifest = manifest
        self.articles = articles
        self._indexes = indexes
        self.keywords = KeywordIndex(indexes.postings, articles.row_map)
        self.vectors = VectorIndex(indexes.vectors, articles.row_map, indexes.ivf)
        # (articles, dimension): each the unit mean of its chunks'
        self.article_vectors = indexes.article_vectors if articles.whole else indexes.article_vectors[articles.rows()]
        self._hybrid = HybridSearch(self.keywords, self.vectors, articles, self.article_vectors)
        self._views: dict[frozenset[Audience], Snapshot] = {}
        self._viewing = threading.Lock()

    @classmethod
    def open(cls, path: Path) -> Snapshot:
        """Verify every file against the manifest, then load. Raises a SnapshotError if anything is off."""
        manifest = Manifest.read(path)
        verify(path, manifest)
        try:
            return cls._load(path, manifest)
        except (OSError, ValueError, RuntimeError, sqlite3.Error) as error:  # RuntimeError: FAISS
            raise _damaged(path, f"it cannot be loaded ({error})") from error

    @classmethod
    def _load(cls, path: Path, manifest: Manifest) -> Snapshot:
        articles, indexes = ArticleTable(path / ARTICLES), _Indexes.open(path, manifest)
        counts = {indexes.vectors.count, indexes.spans.count, len(indexes.postings.lengths), articles.chunk_count}
        if counts != {manifest.chunks}:
            raise _damaged(path, "its indexes disagree on the number of chunks")
        return cls(path, manifest, indexes, articles)

    @property
    def postings(self) -> Postings:
        """The stored postings, for the snapshot that carries them over."""
        return self._indexes.postings

    @property
    def ivf(self) -> IvfIndex | None:
        """The stored inverted file, for the snapshot that carries it over."""
        return self._indexes.ivf

    @property
    def spans(self) -> SpanVectors:
        """The stored vectors of spans, for the snapshot that carries them over."""
        return self._indexes.spans

    def embedded_by_digest(self, digests: Iterable[str]) -> dict[str, EmbeddedPassage]:
        """Content digest → vectors of a chunk with that content, for those that are stored."""
        numbers = self.articles.numbers_of(dict.fromkeys(digests))
        chunks = np.array(list(numbers.values()), dtype=np.int64)
        passages = map(EmbeddedPassage, self.vectors.rows(chunks), self._spans_of(chunks))
        return dict(zip(numbers, passages, strict=True))

    def seen_by(self, viewer: Viewer) -> Snapshot:
        """This snapshot as if no article that `viewer` may not read had ever been ingested.

        Not a filter over results: what is not there is not counted either, in no statistics of a word and in no tag.
        """
        hidden = frozenset(audience for audience in self.articles.audiences if not viewer.may_read(audience))
        if not hidden:
            return self
        view = self._views.get(hidden)
        if view is None:
            with self._viewing:
                view = self._views.get(hidden) or self._without(hidden)
                self._views = dict([*list(self._views.items())[1 - _VIEWS :], (hidden, view)])
        return view

    def _without(self, hidden: frozenset[Audience]) -> Snapshot:
        articles = self.articles.without(hidden)
        manifest = replace(self.manifest, articles=len(articles.ids()), chunks=articles.chunk_count)
        return Snapshot(self.path, manifest, self._indexes, articles)

    @property
    def generation(self) -> str:
        return self.manifest.generation

    @property
    def created(self) -> str:
        return self.manifest.created

    @property
    def article_count(self) -> int:
        return self.manifest.articles

    @property
    def chunk_count(self) -> int:
        return self.manifest.chunks

    @property
    def embedder(self) -> str:
        return self.manifest.embedder

    @property
    def vocabulary(self) -> KeywordIndex:
        return self.keywords

    def candidates(self, probes: Sequence[SearchProbe], filter: Filter, depth: int) -> Candidates:
        """The first `depth` chunks of either index for each probe under `filter`, scored by both indexes."""
        return self._hybrid.candidates(probes, depth, self.articles.mask(filter))

    def chunks(self, numbers: Sequence[int]) -> list[StoredChunk]:
        """The chunks with these numbers, in the order asked for."""
        return self.articles.chunks(numbers)

    def vectors_of(self, chunks: Chunks) -> FloatMatrix:
        """Shape (len(chunks), dimension)."""
        return self.vectors.rows(chunks)

    def span_vectors(self, chunks: Chunks) -> list[SpanMatrix] | None:
        """For each chunk its context line and its quotables, one row each, 127 times a unit vector: a copy.

        None where the model of the index gives none.
        """
        return self._spans_of(chunks) if self.spans.dimension else None

    def _spans_of(self, chunks: Chunks) -> list[SpanMatrix]:
        return self.spans.of(self.articles.row_map.rows(chunks))

    def owners(self, chunks: Sequence[int]) -> list[str]:
        """The id of the article that each chunk belongs to."""
        return self.articles.owners(chunks)

    def keyword_hits(self, terms: Mapping[str, float], limit: int) -> list[Hit]:
        return self.keywords.search(terms, limit)

    def vector_hits(self, vector: FloatVector, limit: int) -> list[Hit]:
        return self.vectors.search(vector, limit)

    def require_embedder(self, embedder: str) -> None:
        """Raises SnapshotIncompatible unless `embedder` made the vectors of this snapshot."""
        if self.manifest.embedder != embedder:
            raise SnapshotIncompatible(
                f"The index was made with the embedding model {self.manifest.embedder}, but {embedder} is "
                "configured. Set FOOTNOTE_MODEL, FOOTNOTE_ADAPTER and FOOTNOTE_PRECISION back, or run "
                f"`footnote ingest {' '.join(self.manifest.sources)}` to embed everything anew."
            )


def verify(path: Path, manifest: Manifest) -> None:
    """Compare every data file with its recorded hash. Raises SnapshotDamaged naming the first that differs."""
    names = list(dict.fromkeys([*DATA_FILES, *manifest.files]))
    for name, actual in zip(names, file_digests(path / name for name in names), strict=True):
        if isinstance(actual, OSError):
            raise _damaged(path, f"{name} cannot be read ({actual.strerror})") from actual
        if actual != manifest.files.get(name):
            raise _damaged(path, f"{name} does not match its recorded SHA-256")


def _damaged(path: Path, what: str) -> SnapshotDamaged:
    return SnapshotDamaged(
        f"The snapshot {path} is damaged: {what}. Run `footnote ingest SOURCE` to build it anew, "
        "or `footnote rollback` for the previous one."
    )


def _other_format(path: Path, version: object, sources: object) -> SnapshotIncompatible:
    reads = f"The snapshot {path} has format {version}; this Footnote reads format {FORMAT_VERSION}"
    if isinstance(version, int) and version > FORMAT_VERSION:
        return SnapshotTooNew(f"{reads}: upgrade Footnote.")
    named = " ".join(map(str, sources)) if isinstance(sources, list) and sources else "SOURCE"
    return SnapshotIncompatible(f"{reads}: run `footnote ingest {named}` to rebuild it.")
