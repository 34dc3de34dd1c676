"""Bring the index in line with its sources: what is new is chunked and embedded, what is gone disappears."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np

from indexes.errors import SnapshotDamaged, SnapshotIncompatible, SnapshotMissing, SnapshotTooNew
from indexes.history import Ingest, remember
from indexes.opening import Opened, open_whole
from indexes.publishing import Draft, publish, tidy, writing
from indexes.snapshot import Manifest, Snapshot
from indexes.types import (
    Article,
    Category,
    EmbeddedBatch,
    FloatMatrix,
    FloatVector,
    IndexedArticle,
    digest,
    embedded_text,
)
from ingest.chunking import Chunker
from ingest.errors import ArticleRejected, NothingToIngest
from ingest.indexing import index_article
from ingest.isolation import Isolated, guarded
from ingest.items import Found, Ignored, Skipped, Source, SourceItem
from ingest.pending import PendingVectors, discard_pending
from ingest.sources import read_source

Progress: TypeAlias = Callable[[str, int, int], None]  # (what is being done, done, of how many)


class PassageEmbedder(Protocol):
    """Turns passages into vectors, batch by batch."""

    id: str
    dimension: int

    def passage_batches(self, texts: Sequence[str]) -> Iterator[EmbeddedBatch]: ...


@dataclass(frozen=True, slots=True)
class Report:
    """What an ingest did. `generation` is None where nothing had changed and nothing was published."""

    generation: str | None
    articles: int
    chunks: int
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: int
    skipped: tuple[Skipped, ...]
    ignored: Mapping[str, int]
    embedded: int
    reused: int
    truncated: int  # embedded chunks that the model does not read to their end
    seconds: float
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Plan:
    """The articles of the next snapshot in source order, and how they differ from the last."""

    articles: list[IndexedArticle] = field(default_factory=list)
    categories: dict[str, Category] = field(default_factory=dict)
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    removed: tuple[str, ...] = ()


class Synchroniser:
    """Holds what an ingest needs; `sync` does one."""

    def __init__(self, root: Path, embedder: PassageEmbedder, chunker: Chunker, keep: int, progress: Progress) -> None:
        self._root = root
        self._embedder = embedder
        self._chunker = chunker
        self._keep = keep
        self._progress = progress
        self._isolated = Isolated()

    def sync(self, sources: Sequence[Path | Source], *, full: bool = False) -> Report:
        """Make the index hold exactly what `sources` hold. Raises IndexBusy, SourceMissing, NothingToIngest.

        A path is a folder, file or export. `full` chunks and embeds everything anew. An article whose file has become
        unreadable keeps its last version.
        """
        started = time.monotonic()
        with writing(self._root), self._isolated:
            opened, notes = self._previous()
            previous = opened.snapshot if opened else None
            ignored = Ignored()
            plan = self._plan(_read_all(sources, ignored), previous, full)
            if not plan.articles:
                raise NothingToIngest(_nothing(sources, plan.skipped, ignored))
            names = _names(sources)
            if previous and not full and not notes and self._nothing_new(plan, previous, names):
                discard_pending(self._root)  # of an ingest that was stopped right after it had published
                tidy(self._root, self._keep)
                report = self._report(plan, previous.manifest, None, ignored, started, notes, (0, 0, 0))
                remember(self._root, _past(report, names))
                return report
            vectors, work = self._vectors(plan, None if full else previous)
            damaged = opened.damaged if opened else ()
            manifest = publish(self._root, self._draft(plan, vectors, names), self._keep, damaged)
            discard_pending(self._root)  # only now: a publish that fails must not cost the vectors
            report = self._report(plan, manifest, manifest.generation, ignored, started, notes, work)
            remember(self._root, _past(report, names))
            return report

    def _previous(self) -> tuple[Opened | None, tuple[str, ...]]:
        """The current snapshot if its parts can be reused, or the whole one before it, with a note why it must be
        replaced. A newer format is never overwritten."""
        try:
            opened = open_whole(self._root)
            return opened, _repaired(opened)
        except SnapshotMissing:
            return None, ()
        except SnapshotTooNew:
            raise
        except SnapshotIncompatible:
            return None, ("The previous index has an older format: everything was embedded anew.",)
        except SnapshotDamaged as error:
            return None, (f"The previous index could not be reused: {error}",)

    def _plan(self, found: Iterable[Found], previous: Snapshot | None, full: bool) -> _Plan:
        plan = _Plan()
        known = previous.articles.fingerprints() if previous else {}
        reusable = previous is not None and not full and previous.manifest.chunker == self._chunker.id
        seen: dict[str, str] = {}
        for item in found:
            if isinstance(item, Skipped):
                self._skip(plan, item, previous, seen)
            elif item.id in seen:
                plan.skipped.append(Skipped(item.origin, f"its id {item.id!r} is taken by {seen[item.id]}: rename it"))
            else:
                self._take(plan, item, known, previous, reusable, seen)
            self._progress("Reading", len(seen), 0)
        self._carry_over_unseen(plan, known, previous, seen)
        plan.removed = tuple(id for id in known if id not in seen)
        return plan

    def _take(
        self, plan: _Plan, item: SourceItem, known: Mapping[str, str], previous: Snapshot | None, reusable: bool,
        seen: dict[str, str],
    ) -> None:  # fmt: skip
        same = known.get(item.id) == item.fingerprint
        stored = previous.articles.indexed(item.id) if previous and same and reusable else None
        try:
            entry = stored or self._index(item)
        except ArticleRejected as error:
            self._skip(plan, Skipped(item.origin, str(error), item.id), previous, seen)
            return
        seen[item.id] = item.origin
        plan.articles.append(entry)
        plan.categories.setdefault(entry.article.category, _named(item.category, entry.article))
        kind = plan.unchanged if same else plan.changed if item.id in known else plan.added
        kind.append(item.id)

    def _skip(self, plan: _Plan, skipped: Skipped, previous: Snapshot | None, seen: dict[str, str]) -> None:
        """Report it; if it was ingested before, its last version stays: nothing is lost to a typing error."""
        stored = previous.articles.indexed(skipped.id) if previous and skipped.id and skipped.id not in seen else None
        if stored:
            self._carry_over(plan, stored, skipped.origin, seen)
        plan.skipped.append(replace(skipped, kept=stored is not None))

    def _carry_over_unseen(
        self, plan: _Plan, known: Iterable[str], previous: Snapshot | None, seen: dict[str, str]
    ) -> None:  # fmt: skip
        """Of a folder that could not be looked at, every article keeps its last version."""
        for place, skipped in enumerate(plan.skipped):
            under = skipped.under
            hidden = [] if under is None else [id for id in known if id.startswith(under) and id not in seen]
            for id in hidden:
                if previous and (stored := previous.articles.indexed(id)):
                    self._carry_over(plan, stored, skipped.origin, seen)
            if hidden:
                plan.skipped[place] = replace(skipped, kept=True)

    def _carry_over(self, plan: _Plan, stored: IndexedArticle, origin: str, seen: dict[str, str]) -> None:
        seen[stored.article.id] = origin
        plan.articles.append(stored)
        plan.unchanged.append(stored.article.id)
        plan.categories.setdefault(stored.article.category, Category(stored.article.category))

    def _index(self, item: SourceItem) -> IndexedArticle:
        call = self._isolated.call if item.isolated else guarded
        return call(index_article, item.parse, item.fingerprint, self._chunker)

    def _nothing_new(self, plan: _Plan, previous: Snapshot, sources: tuple[str, ...]) -> bool:
        manifest = previous.manifest
        made_alike = (manifest.embedder, manifest.chunker) == (self._embedder.id, self._chunker.id)
        return made_alike and manifest.sources == sources and not (plan.added or plan.changed or plan.removed)

    def _vectors(self, plan: _Plan, previous: Snapshot | None) -> tuple[FloatMatrix, tuple[int, int, int]]:
        """The vectors of all chunks in order, and (embedded, reused, truncated)."""
        texts = [
            embedded_text(chunk, entry.article.markdown[chunk.start : chunk.end])
            for entry in plan.articles
            for chunk in entry.chunks
        ]
        keys = [digest(text) for text in texts]
        known = self._known_vectors(keys, previous)
        pending = PendingVectors(self._root, self._embedder.id)
        try:
            known.update(pending.load())
            missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
            fresh, truncated = self._embed(missing, pending)
            known.update(fresh)
        finally:
            pending.close()
        reused = len(keys) - len(missing)
        return np.stack([known[key] for key in keys]), (len(missing), reused, truncated)

    def _known_vectors(self, keys: Sequence[str], previous: Snapshot | None) -> dict[str, FloatVector]:
        if previous is None or previous.manifest.embedder != self._embedder.id:
            return {}
        stored = previous.articles.chunk_digests()
        shared = [key for key in dict.fromkeys(keys) if key in stored]
        rows = previous.vectors.rows(np.array([stored[key] for key in shared], dtype=np.int64))
        return dict(zip(shared, rows, strict=True))

    def _embed(self, missing: Mapping[str, str], pending: PendingVectors) -> tuple[dict[str, FloatVector], int]:
        """The vectors of `missing` by key, and how many of its texts the model does not read to their end."""
        keys = iter(missing)
        vectors: dict[str, FloatVector] = {}
        truncated = 0
        for batch in self._embedder.passage_batches(list(missing.values())):
            fresh = list(zip(islice(keys, len(batch.vectors)), batch.vectors, strict=True))
            pending.add(fresh)
            vectors.update(fresh)
            truncated += batch.truncated
            self._progress("Embedding", len(vectors), len(missing))
        return vectors, truncated

    def _draft(self, plan: _Plan, vectors: FloatMatrix, sources: tuple[str, ...]) -> Draft:
        changes = {
            "added": len(plan.added), "changed": len(plan.changed),
            "removed": len(plan.removed), "skipped": len(plan.skipped),
        }  # fmt: skip
        categories = tuple(plan.categories.values())
        return Draft(plan.articles, categories, vectors, self._embedder.id, self._chunker.id, sources, changes)

    def _report(
        self, plan: _Plan, manifest: Manifest, generation: str | None, ignored: Ignored, started: float,
        notes: tuple[str, ...], work: tuple[int, int, int],
    ) -> Report:  # fmt: skip
        embedded, reused, truncated = work
        return Report(
            generation, manifest.articles, manifest.chunks, tuple(plan.added), tuple(plan.changed), plan.removed,
            len(plan.unchanged), tuple(plan.skipped), dict(ignored.by_ending), embedded, reused, truncated,
            round(time.monotonic() - started, 2), notes,
        )  # fmt: skip


def _past(report: Report, sources: tuple[str, ...]) -> Ingest:
    """What the history keeps of a report."""
    return Ingest(
        finished=datetime.now(UTC).isoformat(timespec="seconds"), generation=report.generation or "", sources=sources,
        articles=report.articles, added=len(report.added), changed=len(report.changed), removed=len(report.removed),
        skipped=len(report.skipped), reasons=tuple((s.origin, s.reason) for s in report.skipped),
        embedded=report.embedded, seconds=report.seconds,
    )  # fmt: skip


def _repaired(opened: Opened) -> tuple[str, ...]:
    if opened.problem is None:
        return ()
    return (f"The current snapshot was damaged: made anew from snapshot {opened.snapshot.generation} and the sources.",)


def _read_all(sources: Sequence[Path | Source], ignored: Ignored) -> Iterator[Found]:
    for source in sources:
        yield from read_source(source, ignored) if isinstance(source, Path) else source.read(ignored)


def _names(sources: Sequence[Path | Source]) -> tuple[str, ...]:
    return tuple(str(source) if isinstance(source, Path) else source.name for source in sources)


def _named(category: Category, article: Article) -> Category:
    """The category an article is shown under: its own word for it wins over the folder's."""
    return category if category.name == article.category else Category(article.category)


def _nothing(sources: Sequence[Path | Source], skipped: Sequence[Skipped], ignored: Ignored) -> str:
    named = ", ".join(_names(sources))
    reasons = "".join(f"\n  {s.origin}: {s.reason}" for s in skipped[:10])
    others = f" ({sum(ignored.by_ending.values())} files of other kinds were ignored)" if ignored.by_ending else ""
    return (
        f"No article could be read from {named}{others}: an article is a .md or .html file, or a line of a .jsonl "
        f"export. The index was left as it is.{reasons}"
    )
