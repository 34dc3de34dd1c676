"""A snapshot: one immutable, verified generation of the index. Opened whole or not at all."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from indexes import lexical
from indexes.articles import ArticleTable
from indexes.errors import SnapshotDamaged, SnapshotIncompatible, SnapshotMissing, SnapshotTooNew
from indexes.lexical import KeywordIndex
from indexes.types import FloatMatrix
from indexes.vectors import VectorIndex

FORMAT_VERSION = 1
MANIFEST = "manifest.json"
ARTICLES = "articles.sqlite"
VECTORS = "vectors.faiss"
ARTICLE_VECTORS = "article_vectors.npy"
DATA_FILES = (ARTICLES, VECTORS, ARTICLE_VECTORS, *lexical.FILES)
CURRENT = "CURRENT"
_SEAL = "seal"


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

    def __init__(
        self, path: Path, manifest: Manifest, articles: ArticleTable, keywords: KeywordIndex, vectors: VectorIndex,
        article_vectors: FloatMatrix,
    ) -> None:  # fmt: skip
        self.path = path
        self.manifest = manifest
        self.articles = articles
        self.keywords = keywords
        self.vectors = vectors
        self.article_vectors = article_vectors  # (articles, dimension): each the unit mean of its chunks' vectors

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
        articles = ArticleTable.open(path / ARTICLES)
        keywords = KeywordIndex.open(path, manifest.chunks)
        vectors = VectorIndex.open(path / VECTORS)
        article_vectors = np.load(path / ARTICLE_VECTORS, mmap_mode="r", allow_pickle=False)
        if not articles.chunk_count == vectors.count == manifest.chunks:
            raise _damaged(path, "its indexes disagree on the number of chunks")
        return cls(path, manifest, articles, keywords, vectors, article_vectors)

    @property
    def generation(self) -> str:
        return self.manifest.generation

    def require_embedder(self, embedder: str) -> None:
        """Raises SnapshotIncompatible unless `embedder` made the vectors of this snapshot."""
        if self.manifest.embedder != embedder:
            raise SnapshotIncompatible(
                f"The index was made with the embedding model {self.manifest.embedder}, but {embedder} is "
                f"configured. Set FOOTNOTE_MODEL back, or run `footnote ingest {' '.join(self.manifest.sources)}` "
                "to embed everything anew."
            )


def seal(fields: Mapping[str, object]) -> str:
    """The SHA-256 of a manifest's fields, in whatever order and spacing they stand."""
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(path: Path, manifest: Manifest) -> None:
    """Compare every data file with its recorded hash. Raises SnapshotDamaged naming the first that differs."""
    for name in DATA_FILES:
        recorded = manifest.files.get(name)
        try:
            actual = file_digest(path / name)
        except OSError as error:
            raise _damaged(path, f"{name} cannot be read ({error.strerror})") from error
        if actual != recorded:
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
