"""Writing a snapshot: build in a scratch folder, fsync, rename, point CURRENT at it, prune."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from indexes.article_writing import write_articles
from indexes.errors import IndexBusy, SnapshotMissing
from indexes.lexical import KeywordIndex
from indexes.snapshot import (
    ARTICLE_VECTORS,
    ARTICLES,
    CURRENT,
    DATA_FILES,
    FORMAT_VERSION,
    MANIFEST,
    VECTORS,
    Manifest,
    Snapshot,
    file_digest,
)
from indexes.types import Category, FloatMatrix, IndexedArticle, keyword_text
from indexes.vectors import VectorIndex

_LOCK = "lock"
_SCRATCH = "scratch-"


@dataclass(frozen=True, slots=True)
class Draft:
    """All that a snapshot is made from. `vectors` has one row a chunk, in the order of the articles' chunks."""

    articles: Sequence[IndexedArticle]
    categories: Sequence[Category]
    vectors: FloatMatrix
    embedder: str
    chunker: str
    sources: tuple[str, ...]
    changes: dict[str, int]


@contextlib.contextmanager
def writing(root: Path) -> Iterator[None]:
    """Hold the index's write lock. Raises IndexBusy at once, naming the holder; a dead holder frees the lock."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / _LOCK).open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            holder = lock.read().strip() or "another process"
            raise IndexBusy(f"The index {root} is being written by {holder}. Try again when it has ended.") from error
        lock.truncate(0)
        lock.write(f"process {os.getpid()} on {socket.gethostname()} since {_now()}")
        lock.flush()
        _sweep(root)
        yield


def publish(root: Path, draft: Draft, keep: int) -> Manifest:
    """Make `draft` the current snapshot of `root` in one atomic step. The caller holds the write lock.

    Until CURRENT is replaced, readers see the old generation whole; after, the new one whole.
    """
    generation = _next_generation(root)
    scratch = root / f"{_SCRATCH}{generation}"
    scratch.mkdir()
    manifest = _write(scratch, generation, draft)
    for name in (*DATA_FILES, MANIFEST):
        _fsync(scratch / name)
    _fsync(scratch)
    scratch.rename(root / generation)
    _fsync(root)
    point_current(root, generation)
    prune(root, keep)
    return manifest


def point_current(root: Path, generation: str) -> None:
    """Replace CURRENT atomically. Raises SnapshotMissing if there is no such generation."""
    if generation not in generations(root):
        raise SnapshotMissing(f"There is no snapshot {generation} in {root}: see `footnote snapshots`.")
    pointer = root / f"{CURRENT}.new"
    pointer.write_text(f"{generation}\n", encoding="utf-8")
    _fsync(pointer)
    pointer.rename(root / CURRENT)
    _fsync(root)


def current_generation(root: Path) -> str | None:
    """The generation CURRENT names, or None before the first ingest."""
    try:
        return (root / CURRENT).read_text(encoding="utf-8", errors="replace").strip() or None
    except FileNotFoundError:
        return None


def generations(root: Path) -> list[str]:
    """Every published generation, oldest first."""
    if not root.is_dir():
        return []
    return sorted(entry.name for entry in root.iterdir() if entry.name.isdigit() and entry.is_dir())


def open_current(root: Path) -> Snapshot:
    """Open the snapshot CURRENT names. Raises SnapshotMissing before the first ingest."""
    generation = current_generation(root)
    if generation is None:
        raise SnapshotMissing(f"There is no index at {root} yet: run `footnote ingest SOURCE`, or `make serve`.")
    return Snapshot.open(root / generation)


def prune(root: Path, keep: int) -> None:
    """Delete all but the newest `keep` generations and the current one."""
    current = current_generation(root)
    for generation in generations(root)[:-keep]:
        if generation != current:
            shutil.rmtree(root / generation)


def _write(folder: Path, generation: str, draft: Draft) -> Manifest:
    write_articles(folder / ARTICLES, draft.articles, draft.categories)
    VectorIndex.build(draft.vectors).save(folder / VECTORS)
    np.save(folder / ARTICLE_VECTORS, _article_vectors(draft), allow_pickle=False)
    KeywordIndex.build(_texts(draft.articles)).save(folder)
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        generation=generation,
        created=_now(),
        embedder=draft.embedder,
        dimension=int(draft.vectors.shape[1]),
        chunker=draft.chunker,
        sources=draft.sources,
        articles=len(draft.articles),
        chunks=int(draft.vectors.shape[0]),
        changes=draft.changes,
    )
    manifest = replace(manifest, files={name: file_digest(folder / name) for name in DATA_FILES})
    (folder / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
    return manifest


def _article_vectors(draft: Draft) -> FloatMatrix:
    """The unit mean of each article's chunk vectors, shape (articles, dimension)."""
    starts = np.cumsum([0, *(len(entry.chunks) for entry in draft.articles)])[:-1]
    sums = np.add.reduceat(draft.vectors, starts, axis=0)
    return np.asarray(sums / np.linalg.norm(sums, axis=1, keepdims=True), dtype=np.float32)


def _texts(articles: Sequence[IndexedArticle]) -> Iterator[str]:
    for entry in articles:
        for chunk in entry.chunks:
            yield keyword_text(entry.article, chunk)


def _next_generation(root: Path) -> str:
    last = max((int(name) for name in generations(root)), default=0)
    return f"{last + 1:06d}"


def _sweep(root: Path) -> None:
    """Remove what an interrupted writer left behind; nothing points there."""
    for entry in root.glob(f"{_SCRATCH}*"):
        shutil.rmtree(entry)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
