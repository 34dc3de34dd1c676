"""A draft becomes the files of a snapshot: written whole, or as what changed beside the base of the one before."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from indexes.files import file_digest, file_digests, save_array
from indexes.snapshots.segment_writing import Contents, write_segment
from indexes.snapshots.snapshot import FORMAT_VERSION, GONE, MANIFEST, RECENT, SPARE, Manifest, Snapshot
from indexes.types import Category, Chunks, FloatMatrix, IndexedArticle

LARGE = 10_000  # chunks from which writing all of them anew takes longer than an editor should wait
_RECENT_SHARE = 1 / 16  # of the base's chunks: with more changes than that, everything is written anew


@dataclass(frozen=True, slots=True)
class Draft:
    """All that a snapshot is made from: new articles, and those of `previous` but for the ids in `gone`.

    `vectors` has one row a chunk, in the order of the new articles' chunks. A changed article is a new one whose id is
    gone.
    """

    articles: Iterable[IndexedArticle]  # iterated over twice
    categories: Sequence[Category]
    vectors: FloatMatrix
    embedder: str
    chunker: str
    sources: tuple[str, ...]
    changes: dict[str, int]
    previous: Snapshot | None = None
    gone: Collection[str] = frozenset()


def write_snapshot(folder: Path, generation: str, draft: Draft, large: int) -> Manifest:
    """Write all files of a snapshot into an empty folder."""
    kept = _kept(draft)
    beside = draft.previous is not None and _few_changes(draft, draft.previous, kept, large)
    if beside and draft.previous is not None:
        articles, chunks, files = _write_changes(folder, draft, draft.previous, kept)
    else:
        articles, chunks, files = _write_whole(folder, draft, kept, large)
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        generation=generation,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        embedder=draft.embedder,
        dimension=int(draft.vectors.shape[1]),
        chunker=draft.chunker,
        sources=draft.sources,
        articles=articles,
        chunks=chunks,
        changes=draft.changes,
        files=files,
    )
    (folder / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
    return manifest


def _kept(draft: Draft) -> Chunks:
    """The places in `previous` of the articles that stay."""
    ids = draft.previous.articles.ids() if draft.previous else []
    return np.array([place for place, id in enumerate(ids) if id not in draft.gone], dtype=np.int64)


def _few_changes(draft: Draft, previous: Snapshot, kept: Chunks, large: int) -> bool:
    """Whether what changed since the base was written is little beside it."""
    base = previous.segments[0]
    in_base = previous.articles.rows()[kept] < len(base.article_vectors)
    counts = previous.articles.chunk_counts()[kept]
    dead, recent = base.rows - int(counts[in_base].sum()), int(counts[~in_base].sum()) + len(draft.vectors)
    return base.rows >= large and dead + recent <= base.rows * _RECENT_SHARE


def _write_whole(folder: Path, draft: Draft, kept: Chunks, large: int) -> tuple[int, int, dict[str, str]]:
    contents = Contents(draft.articles, draft.vectors, draft.categories, draft.previous, kept)
    articles, chunks = write_segment(folder, contents)
    files = _digests(folder, "")
    if chunks >= large:
        (folder / SPARE).mkdir()
        for name in files:
            shutil.copyfile(folder / name, folder / SPARE / name)
    return articles, chunks, files


def _write_changes(folder: Path, draft: Draft, previous: Snapshot, kept: Chunks) -> tuple[int, int, dict[str, str]]:
    """The base as it is, and beside it a new recent segment with all changes since the base was written."""
    base = previous.segments[0]
    rows = previous.articles.rows()[kept]
    later = kept[rows >= len(base.article_vectors)]
    contents = Contents(
        draft.articles, draft.vectors, draft.categories, previous, later, len(base.article_vectors), base.rows
    )
    (folder / RECENT).mkdir()
    articles, chunks = write_segment(folder / RECENT, contents)
    save_array(folder / GONE, np.setdiff1d(np.arange(len(base.article_vectors)), rows))
    files = {name: digest for name, digest in previous.manifest.files.items() if not name.startswith(RECENT)}
    _carry_base(folder, previous, files)
    counts = previous.articles.chunk_counts()[kept]
    staying = len(kept) - len(later), int(counts[rows < len(base.article_vectors)].sum())
    return staying[0] + articles, staying[1] + chunks, {**files, **_digests(folder / RECENT, f"{RECENT}/")}


def _carry_base(folder: Path, previous: Snapshot, files: dict[str, str]) -> None:
    """Take over the base's files without copying them, so that a snapshot and the one before share none of them.

    A damaged file must not take two snapshots with it, so each has a spare copy of its base: the next one takes the
    spare for its own, and this one's own for its spare.
    """
    (folder / SPARE).mkdir()
    spares = [previous.path / SPARE / name for name in files]
    for (name, recorded), spare, actual in zip(files.items(), spares, file_digests(spares), strict=True):
        own = previous.path / name
        if actual == recorded:
            _link(spare, folder / name)
        else:  # rotten or missing; `own` was verified when `previous` was opened
            shutil.copyfile(own, folder / name)
        _link(own, folder / SPARE / name)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links, or too many of them
        shutil.copyfile(source, target)


def _digests(folder: Path, prefix: str) -> dict[str, str]:
    return {f"{prefix}{path.name}": file_digest(path) for path in sorted(folder.iterdir()) if path.is_file()}
