"""A segment: articles with their chunks, vectors and postings, written once. A snapshot has one or two.

The base holds nearly everything. In a large index, what changed since the base was written lies in a second, recent
segment, so that one changed article does not cost a new copy of all the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from indexes.files import mapped
from indexes.search import postings
from indexes.search.ivf import IvfIndex
from indexes.search.postings import Postings
from indexes.types import FloatMatrix

ARTICLES = "articles.sqlite"
VECTORS = "vectors.npy"
ARTICLE_VECTORS = "article_vectors.npy"
CELLS = "cells.faiss"  # only where they pay off
SEGMENT_FILES = (ARTICLES, VECTORS, ARTICLE_VECTORS, *postings.FILES)


@dataclass(frozen=True, slots=True)
class Segment:
    """The open files of a segment, mapped into memory. Articles are read through `ArticleTable`."""

    table: Path
    postings: Postings
    vectors: FloatMatrix  # (rows, dimension)
    article_vectors: FloatMatrix  # (article rows, dimension): each the unit mean of its chunks' vectors
    cells: IvfIndex | None

    @classmethod
    def open(cls, folder: Path) -> Segment:
        """Open verified files (nothing here notices damage: see `Snapshot.open`)."""
        vectors, article_vectors = mapped(folder / VECTORS), mapped(folder / ARTICLE_VECTORS)
        cells = IvfIndex.open(folder / CELLS) if (folder / CELLS).exists() else None
        return cls(folder / ARTICLES, Postings.open(folder), vectors, article_vectors, cells)

    @property
    def rows(self) -> int:
        return len(self.vectors)
