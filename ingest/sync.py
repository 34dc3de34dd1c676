"""Bring the index in line with its sources: what is new is chunked and embedded, what is gone disappears."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np

from indexes.snapshots.drafting import Draft
from indexes.snapshots.ingest_log import IngestRecord, Restricted
from indexes.snapshots.snapshot import Manifest
from indexes.types import EmbeddedBatch, EmbeddedPassage, IndexedArticle, PassageText, passage_text
from ingest.article_indexing import index_article
from ingest.chunking import Chunker
from ingest.errors import NothingToIngest
from ingest.isolation import Isolated, guarded
from ingest.pending import PendingVectors, discard_pending
from ingest.planning import Plan, Planner, Progress
from ingest.publisher import Generation, Publisher
from ingest.sources.folders import read_source
from ingest.sources.items import Ignored, Skipped, Source, SourceEntry, SourceItem


class PassageEmbedder(Protocol):
    """Turns passages into vectors, batch by batch."""

    id: str
    dimension: int
    span_dimension: int  # of the vectors of spans; 0: it gives none

    def passage_batches(self, passages: Sequence[PassageText]) -> Iterator[EmbeddedBatch]: ...


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


class Synchroniser:
    """Holds what an ingest needs; `sync` does one."""

    def __init__(self, publisher: Publisher, embedder: PassageEmbedder, chunker: Chunker, progress: Progress) -> None:
        self._publisher = publisher
        self._embedder = embedder
        self._chunker = chunker
        self._progress = progress
        self._isolated = Isolated()

    def sync(self, sources: Sequence[Path | Source], *, full: bool = False) -> Report:
        """Make the index hold exactly what `sources` hold. Raises IndexBusy, SourceMissing, NothingToIngest.

        A path is a folder, file or export. `full` chunks and embeds everything anew. An article whose file has become
        unreadable keeps its last version.
        """
        started = time.monotonic()
        with self._publisher.writing() as writer, self._isolated:
            previous, notes, ignored = writer.previous, writer.notes, Ignored()
            carry = self._carry(previous, full)
            plan = Planner(previous, self._index, self._progress, carry=carry).plan(_read_all(sources, ignored))
            if plan.empty:
                raise NothingToIngest(_nothing(sources, plan.skipped, ignored))
            names = _names(sources)
            if previous and carry and not notes and self._nothing_new(plan, previous, names):
                manifest, generation, work = previous.manifest, None, (0, 0)
            else:
                passages, work = self._passages(plan, None if full else previous)
                manifest = writer.publish(self._draft(plan, passages, names))
                generation = manifest.generation
            # Only now: a publish that fails must not cost the vectors. And those of an ingest that was stopped right
            # after it had published are of no use.
            discard_pending(self._publisher.workspace)
            report = self._report(plan, manifest, generation, ignored, started, notes, work)
            writer.finish(_past(report, names, _restricted(plan, previous)))
            return report

    def _carry(self, previous: Generation | None, full: bool) -> bool:
        """Whether stored articles are as they would be written now."""
        if previous is None or full:
            return False
        return (previous.manifest.embedder, previous.manifest.chunker) == (self._embedder.id, self._chunker.id)

    def _nothing_new(self, plan: Plan, previous: Generation, sources: tuple[str, ...]) -> bool:
        return previous.manifest.sources == sources and not (plan.articles or plan.removed)

    def _index(self, item: SourceItem) -> IndexedArticle:
        call = self._isolated.call if item.isolated else guarded
        return call(index_article, item.parse, item.fingerprint, self._chunker)

    def _passages(self, plan: Plan, previous: Generation | None) -> tuple[list[EmbeddedPassage], tuple[int, int]]:
        """The vectors of the chunks that are written anew, in order, and (embedded, truncated)."""
        texts = [
            passage_text(chunk, entry.article.markdown[chunk.start : chunk.end])
            for entry in plan.articles
            for chunk in entry.chunks
        ]
        keys = [text.digest for text in texts]
        known = self._known(keys, previous)
        pending = PendingVectors(self._publisher.workspace, self._embedder.id)
        try:
            known.update(pending.load())
            missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
            fresh, truncated = self._embed(missing, pending)
            known.update(fresh)
        finally:
            pending.close()
        return [known[key] for key in keys], (len(missing), truncated)

    def _known(self, keys: Sequence[str], previous: Generation | None) -> dict[str, EmbeddedPassage]:
        if previous is None or previous.manifest.embedder != self._embedder.id:
            return {}
        return dict(previous.embedded_by_digest(keys))

    def _embed(
        self, missing: Mapping[str, PassageText], pending: PendingVectors
    ) -> tuple[dict[str, EmbeddedPassage], int]:
        """The vectors of `missing` by key, and how many of its texts the model does not read to their end."""
        keys = iter(missing)
        passages: dict[str, EmbeddedPassage] = {}
        truncated = 0
        for batch in self._embedder.passage_batches(list(missing.values())):
            fresh = list(zip(islice(keys, len(batch.passages)), batch.passages, strict=True))
            pending.add(fresh)
            passages.update(fresh)
            truncated += batch.truncated
            self._progress("Embedding", len(passages), len(missing))
        return passages, truncated

    def _draft(self, plan: Plan, passages: Sequence[EmbeddedPassage], sources: tuple[str, ...]) -> Draft:
        vectors = np.zeros((len(passages), self._embedder.dimension), dtype=np.float32)
        for row, passage in enumerate(passages):
            vectors[row] = passage.vector
        changes = {
            "added": len(plan.added),
            "changed": len(plan.changed),
            "removed": len(plan.removed),
            "skipped": len(plan.skipped),
        }
        return Draft(
            plan.articles,
            tuple(plan.categories.values()),
            vectors,
            [passage.spans for passage in passages],
            self._embedder.span_dimension,
            self._embedder.id,
            self._chunker.id,
            sources,
            changes,
            frozenset(plan.carried),
        )

    def _report(
        self,
        plan: Plan,
        manifest: Manifest,
        generation: str | None,
        ignored: Ignored,
        started: float,
        notes: tuple[str, ...],
        work: tuple[int, int],
    ) -> Report:
        embedded, truncated = work
        reused = manifest.chunks - embedded if generation else 0
        return Report(
            generation,
            manifest.articles,
            manifest.chunks,
            tuple(plan.added),
            tuple(plan.changed),
            plan.removed,
            len(plan.unchanged),
            tuple(plan.skipped),
            dict(ignored.counts),
            embedded,
            reused,
            truncated,
            round(time.monotonic() - started, 2),
            notes,
        )


def _restricted(plan: Plan, previous: Generation | None) -> tuple[Restricted, ...]:
    """What of a plan is for one audience or another."""
    audiences = {entry.article.id: entry.article.audience for entry in plan.articles}
    if previous:
        audiences |= {id: previous.articles.audience_of(id) for id in (*plan.carried, *plan.removed)}
    counts = {
        "articles": Counter(audiences[id] for id in audiences.keys() - plan.removed),
        "added": Counter(audiences[id] for id in plan.added),
        "changed": Counter(audiences[id] for id in plan.changed),
        "removed": Counter(audiences[id] for id in plan.removed),
    }
    return tuple(
        Restricted(audience, **{what: count[audience] for what, count in counts.items()})
        for audience in sorted(set(audiences.values()) - {()})
    )


def _past(report: Report, sources: tuple[str, ...], restricted: tuple[Restricted, ...]) -> IngestRecord:
    """What the history keeps of a report."""
    skipped = [entry for entry in report.skipped if not entry.confidential]
    return IngestRecord(
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        generation=report.generation or "",
        sources=sources,
        articles=report.articles,
        added=len(report.added),
        changed=len(report.changed),
        removed=len(report.removed),
        skipped=len(skipped),
        reasons=tuple((s.origin, s.reason) for s in skipped),
        embedded=report.embedded,
        seconds=report.seconds,
        restricted=restricted,
    )


def _read_all(sources: Sequence[Path | Source], ignored: Ignored) -> Iterator[SourceEntry]:
    for source in sources:
        yield from read_source(source, ignored) if isinstance(source, Path) else source.read(ignored)


def _names(sources: Sequence[Path | Source]) -> tuple[str, ...]:
    return tuple(str(source) if isinstance(source, Path) else source.name for source in sources)


def _nothing(sources: Sequence[Path | Source], skipped: Sequence[Skipped], ignored: Ignored) -> str:
    named = ", ".join(_names(sources))
    reasons = "".join(f"\n  {s.origin}: {s.reason}" for s in skipped[:10])
    others = f" ({sum(ignored.counts.values())} files of other kinds were ignored)" if ignored.counts else ""
    return (
        f"No article could be read from {named}{others}: an article is a Markdown, HTML, PDF or Word file, a page of a "
        f"website, or a record of an export. The index was left as it is.{reasons}"
    )
