"""A snapshot: one immutable, verified generation of the index. Opened whole or not at all."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from indexes.errors import SnapshotDamaged, SnapshotIncompatible, SnapshotMissing, SnapshotTooNew
from indexes.files import file_digests, seal
from indexes.search.candidates import Candidates, HybridSearch, SearchProbe
from indexes.search.keywords import KeywordIndex
from indexes.search.vectors import VectorIndex
from indexes.snapshots.article_table import ArticleTable, Audience, StoredChunk
from indexes.snapshots.segment import ARTICLES as ARTICLES
from indexes.snapshots.segment import SEGMENT_FILES, Segment
from indexes.snapshots.segment import VECTORS as VECTORS
from indexes.types import Chunks, Filter, FloatMatrix, FloatVector, Hit, Viewer

FORMAT_VERSION = 3
MANIFEST = "manifest.json"
DATA_FILES = SEGMENT_FILES  # every snapshot has these; one of a large index also has RECENT, GONE and SPARE
RECENT = "recent"  # folder of the second segment
GONE = f"{RECENT}/gone.npy"  # rows of the base's articles that were replaced or removed since it was written
SPARE = "spare"  # folder with a second copy of the base's files: the next snapshot takes them, not those of this one
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


class Snapshot:
    """An open generation: its articles, keyword index and vector index, all over the same chunks."""

    def __init__(self, path: Path, manifest: Manifest, segments: tuple[Segment, ...], articles: ArticleTable) -> None:
        """One segment, or the base and the recent one; `articles` shows the tables of both."""
        self.path = path
        self.manifest = manifest
        self.segments = segments
        self.articles = articles
        numbering = articles.numbering
        self.keywords = KeywordIndex([segment.postings for segment in segments], numbering)
        self.vectors = VectorIndex([segment.vectors for segment in segments], numbering, segments[0].cells)
        self.article_vectors = self._article_vectors()  # (articles, dimension): each the unit mean of its chunks'
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
        if GONE in manifest.files:
            segments: tuple[Segment, ...] = (Segment.open(path), Segment.open(path / RECENT))
            gone = np.load(path / GONE, allow_pickle=False).tolist()
            articles = ArticleTable(segments[0].table, segments[1].table, gone)
        else:
            segments = (Segment.open(path),)
            articles = ArticleTable(segments[0].table)
        vectors, texts = sum(s.rows for s in segments), sum(len(s.postings.lengths) for s in segments)
        if not vectors == texts == articles.numbering.total or articles.chunk_count != manifest.chunks:
            raise _damaged(path, "its indexes disagree on the number of chunks")
        return cls(path, manifest, segments, articles)

    def _article_vectors(self) -> FloatMatrix:
        base, *recent = self.segments
        if not recent and self.articles.numbering.alive is None:
            return base.article_vectors
        stored = [base.article_vectors, *(segment.article_vectors for segment in recent)]
        return np.concatenate(stored)[self.articles.rows()]

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
        return Snapshot(self.path, manifest, self.segments, articles)

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
                "configured. Set FOOTNOTE_MODEL and FOOTNOTE_PRECISION back, or run "
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
