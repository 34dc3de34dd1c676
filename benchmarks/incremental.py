"""What a second ingest of a folder costs: `python -m benchmarks.incremental FOLDER`.

The embedding is left out: its vectors are drawn at random, seeded by the text, so that an ingest of thousands of files
takes a minute and not half an hour. All the rest is the real thing, on a copy of the folder.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias, TypeVar

import numpy as np

from indexes.search.analysis import informative_terms
from indexes.settings import IndexSettings
from indexes.snapshots.publisher import SnapshotPublisher
from indexes.snapshots.store import SnapshotStore
from indexes.types import EmbeddedBatch, EmbeddedPassage, PassageText
from ingest.chunking import Chunker
from ingest.sync import Synchroniser

T = TypeVar("T")
Spent: TypeAlias = tuple[float, float]  # seconds by the clock, and of CPU

_ADDED = "\n\nThe quokkaduct{0} carries {0} litres.\n"
_TIMES = 5
_BATCH = 1_000


class DrawnVectors:
    """Unit vectors that depend on the text alone, and those of spans that cost as much to store as real ones."""

    id = "drawn@1"
    dimension = span_dimension = 384

    def passage_batches(self, passages: Sequence[PassageText]) -> Iterator[EmbeddedBatch]:
        for start in range(0, len(passages), _BATCH):
            yield EmbeddedBatch(tuple(map(self._drawn, passages[start : start + _BATCH])), 0)

    def _drawn(self, passage: PassageText) -> EmbeddedPassage:
        drawn = np.random.default_rng(int(passage.digest[:15], 16)).standard_normal(self.dimension, dtype=np.float32)
        vector = drawn / np.linalg.norm(drawn)
        return EmbeddedPassage(vector, np.tile(np.rint(vector * 127).astype(np.int8), (len(passage.spans), 1)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    with tempfile.TemporaryDirectory() as made:
        source, root = Path(made) / "source", Path(made) / "index"
        shutil.copytree(parser.parse_args().folder, source)
        source.chmod(0o755)
        sync = Synchroniser(
            SnapshotPublisher(root, 3), DrawnVectors(), Chunker(IndexSettings().chunk_tokens), lambda *done: None
        )
        first, report = _timed(lambda: sync.sync([source]))
        print(f"{report.articles} articles, {report.chunks} chunks, {len(report.skipped)} files skipped\n")
        print("| ingest | seconds, median | CPU seconds, median |\n|---|---|---|")
        _row("first, without embedding", [first])
        unchanged = [_timed(lambda: sync.sync([source]))[0] for _ in range(_TIMES)]
        _row("nothing changed", unchanged)
        changes = [_change(sync, source, root, number) for number in range(_TIMES)]
        _row("one article changed: published", [published for published, _ in changes])
        _row("one article changed: found by a server that follows", [live for _, live in changes])


def _change(sync: Synchroniser, source: Path, root: Path, number: int) -> tuple[Spent, Spent]:
    """Seconds from the start of the ingest until it has published, and until the new words are found."""
    store = SnapshotStore(root, interval=0)
    files = sorted(source.rglob("*.md"))
    file = files[number * len(files) // _TIMES]
    file.chmod(0o644)
    file.write_text(file.read_text(encoding="utf-8") + _ADDED.format(number), encoding="utf-8")
    published, report = _timed(lambda: sync.sync([source]))
    words = dict.fromkeys(informative_terms(_ADDED.format(number)), 1.0)
    followed, found = _timed(lambda: store.current().keywords.search(words, 1))
    assert store.current().articles.owners([found[0].chunk]) == list(report.changed)
    return published, (published[0] + followed[0], published[1] + followed[1])


def _timed(action: Callable[[], T]) -> tuple[Spent, T]:
    started, cpu = time.perf_counter(), time.process_time()
    result = action()
    return (time.perf_counter() - started, time.process_time() - cpu), result


def _row(name: str, spent: Sequence[Spent]) -> None:
    wall, cpu = (statistics.median(values) for values in zip(*spent, strict=True))
    print(f"| {name} | {wall:.2f} | {cpu:.2f} |", flush=True)


if __name__ == "__main__":
    main()
