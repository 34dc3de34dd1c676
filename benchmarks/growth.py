"""How the price of an index grows: `python -m benchmarks.growth` (CHUNKS… for other sizes than 1k, 10k, 100k and 1M).

The figures go to `docs/benchmarks/growth.json`, and `benchmarks.growth_report` makes the page from them. The KB is made
by `benchmarks.synthetic`; questions are answered by the code that answers users, the model reads each of them, and the
vector it is asked with is one of the synthetic KB.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Any

import numpy as np
import psutil  # type: ignore[import-untyped]

from benchmarks.growth_report import write_report
from benchmarks.synthetic import DIMENSION, SyntheticBase
from indexes.models.embedding import Embedder, load_embedder
from indexes.search.analysis import informative_terms
from indexes.settings import IndexSettings
from indexes.snapshots.publisher import SnapshotPublisher
from indexes.snapshots.publishing import Draft, publish, writing
from indexes.snapshots.store import SnapshotStore
from indexes.types import ANYONE, KEEPER, Category, Filter, FloatMatrix, IndexedArticle, SpanMatrix, Viewer
from ingest.chunking import Chunker
from ingest.sources.items import Ignored, SourceEntry, SourceItem
from ingest.sync import Synchroniser
from qa.answering import Answerer
from qa.composition import build_answerer
from qa.links import Links
from qa.types import Question

SIZES = (1_000, 10_000, 100_000, 1_000_000)
RESULTS = Path(__file__).parent.parent / "docs" / "benchmarks"
_QUESTIONS = 60
_WARM_UP = 10
_CHANGED = 3  # the article that is changed
_CATEGORY = Category("Synthetic")
_BLOCK = 500  # articles whose vectors are made at a time


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The articles of a synthetic KB, made anew each time they are iterated over. One may have a later edition."""

    base: SyntheticBase
    edition: int = 0

    def __iter__(self) -> Iterator[IndexedArticle]:
        return (self.entry(number) for number in range(self.base.articles))

    def entry(self, number: int) -> IndexedArticle:
        edition = self.edition if number == _CHANGED else 0
        return replace(self.base.article(number, edition), fingerprint=f"{number}, edition {edition}")


@dataclass(frozen=True)
class SyntheticSource:
    """The same articles as a source for an ingest, which parses only what has changed."""

    catalogue: Catalogue
    name: str = "synthetic"

    def read(self, ignored: Ignored) -> Iterator[SourceEntry]:
        for number in range(self.catalogue.base.articles):
            edition = self.catalogue.edition if number == _CHANGED else 0
            parse = partial(_article, self.catalogue, number)
            yield SourceItem(f"a{number:06d}", self.name, _CATEGORY, f"{number}, edition {edition}", parse)


def _article(catalogue: Catalogue, number: int) -> Any:
    return catalogue.entry(number).article


@dataclass
class QuestionEmbedder:
    """Reads each question with the model, and returns the next synthetic vector for it."""

    model: Embedder
    vectors: Iterator[FloatMatrix]

    def embed_question(self, text: str) -> FloatMatrix:
        self.model.embed_question(text)
        return next(self.vectors)


def measure(chunks: int, folder: Path) -> dict[str, Any]:
    """All figures of one size. Times are wall-clock seconds and milliseconds unless they are called CPU."""
    root = folder / "index"
    return {
        "chunks": chunks,
        **_in_process(_build, root, chunks, folder),
        **_in_process(_ask, root, chunks),
        **_in_process(_change, root, chunks),
    }


def _build(root: Path, chunks: int, folder: Path) -> dict[str, Any]:
    """A first ingest without parsing and embedding: those grow with the text alone."""
    base, (model, chunker) = SyntheticBase(chunks), _parts()
    vectors = _stored_vectors(base, folder / "vectors.npy")
    articles, spans, size = Catalogue(base), _spans(base, vectors), model.span_dimension
    draft = Draft(articles, [_CATEGORY], vectors, spans, size, model.id, chunker.id, (SyntheticSource.name,), {})

    def build() -> None:
        with writing(root):
            publish(root, draft, 3)

    built = _timed(build)
    (folder / "vectors.npy").unlink()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    return {"articles": base.articles, "build": built, "build_peak_mb": peak, "disk_mb": _megabytes(root)}


def _stored_vectors(base: SyntheticBase, file: Path) -> FloatMatrix:
    """The vectors of all chunks, mapped from a file, so that they take no memory from what is measured."""
    shape = (base.chunks, DIMENSION)
    vectors = np.lib.format.open_memmap(file, mode="w+", dtype=np.float32, shape=shape)
    row = 0
    for first in range(0, base.articles, _BLOCK):
        block = base.vectors_of(first, min(first + _BLOCK, base.articles))
        vectors[row : row + len(block)] = block
        row += len(block)
    return vectors


def _spans(base: SyntheticBase, vectors: FloatMatrix) -> Iterator[SpanMatrix]:
    """For each span of a chunk the vector of the chunk, which takes as much to store."""
    chunks = (chunk for entry in Catalogue(base) for chunk in entry.chunks)
    for chunk, vector in zip(chunks, vectors, strict=True):
        yield np.tile(np.rint(vector * 127).astype(np.int8), (1 + len(chunk.quotables), 1))


def _ask(root: Path, chunks: int) -> dict[str, Any]:
    """Opening, answering and memory, as in a server with nothing else in it."""
    before = _memory()
    base = SyntheticBase(chunks)
    opened = _timed(lambda: SnapshotStore(root))
    store = SnapshotStore(root)
    answerer = _answerer(store, base)
    filters = {"all": Filter(), "one percent": Filter(("rare",)), "ten percent": Filter(("area-3",))}
    # Other questions each time: what was read once would be remembered.
    questions = (base.question(number) for number in count())
    figures = {name: _latencies(answerer, questions, filter) for name, filter in filters.items()}
    memory = _memory()
    view = _timed(lambda: store.seen_by(ANYONE))
    restricted = _latencies(answerer, questions, Filter(), ANYONE)
    return {
        "open": opened,
        "questions": figures,
        "serving_mb": memory,
        "without_index_mb": before,
        "view": {**view, "own_mb": _memory()["own"] - memory["own"]},
        "restricted": restricted,
    }


def _answerer(store: SnapshotStore, base: SyntheticBase) -> Answerer:
    settings = IndexSettings()
    model = load_embedder(settings.model, settings.models, settings.precision, settings.adapter)
    vectors = iter(base.question_vectors(5 * (_QUESTIONS + _WARM_UP))[:, None, :])
    return build_answerer(store, QuestionEmbedder(model, vectors), Links())


def _latencies(
    answerer: Answerer, questions: Iterator[str], filter: Filter, viewer: Viewer = KEEPER
) -> dict[str, float]:
    """Of answering a question of twelve words, in milliseconds."""
    wall, cpu = [], []
    for text in islice(questions, _QUESTIONS + _WARM_UP):
        question = Question(text, filter=filter, viewer=viewer)
        started, spent = time.perf_counter(), time.process_time()
        answer = answerer.ask(question)
        wall.append(1000 * (time.perf_counter() - started))
        cpu.append(1000 * (time.process_time() - spent))
        assert answer.passages
    p50, p95 = np.percentile(wall[_WARM_UP:], [50, 95])
    return {"p50": round(p50, 1), "p95": round(p95, 1), "cpu_p50": round(float(np.median(cpu[_WARM_UP:])), 1)}


def _change(root: Path, chunks: int) -> dict[str, Any]:
    """An ingest that finds nothing changed, and two that find one article changed."""
    base, (model, chunker) = SyntheticBase(chunks), _parts()
    sync = Synchroniser(SnapshotPublisher(root, 3), model, chunker, lambda what, done, total: None)
    unchanged = _timed(lambda: sync.sync([SyntheticSource(Catalogue(base))]))
    updates = [_update(root, sync, base, edition) for edition in (1, 2)]
    return {"unchanged": unchanged, "updates": updates, "disk_after_updates_mb": _megabytes(root)}


def _update(root: Path, sync: Synchroniser, base: SyntheticBase, edition: int) -> dict[str, float]:
    """One article changed: until it is published, and until a server that follows has answered from it."""
    store = SnapshotStore(root, interval=0)
    catalogue = Catalogue(base, edition)
    entry = catalogue.entry(_CHANGED)
    started, cpu = time.perf_counter(), time.process_time()
    report = sync.sync([SyntheticSource(catalogue)])
    published = time.perf_counter() - started
    found = store.current().keywords.search(dict.fromkeys(_words(entry), 1.0), 1)
    live, spent = time.perf_counter() - started, time.process_time() - cpu
    assert report.changed == (entry.article.id,)
    assert store.current().articles.owners([found[0].chunk]) == [entry.article.id]
    return {"published": round(published, 2), "live": round(live, 2), "cpu": round(spent, 2)}


def _words(entry: IndexedArticle) -> Sequence[str]:
    chunk = entry.chunks[0]
    return list(islice(informative_terms(entry.article.markdown[chunk.start : chunk.end]), 40))


def _parts() -> tuple[Embedder, Chunker]:
    settings = IndexSettings()
    model = load_embedder(
        settings.model, settings.models, settings.precision, settings.adapter, workers=os.cpu_count() or 1
    )
    return model, Chunker(settings.chunk_tokens)


def _timed(action: Callable[[], object]) -> dict[str, float]:
    started, cpu = time.perf_counter(), time.process_time()
    action()
    return {"seconds": round(time.perf_counter() - started, 2), "cpu_seconds": round(time.process_time() - cpu, 2)}


def _memory() -> dict[str, int]:
    """Resident megabytes: all, and without pages of mapped files, which the system can take back at any time."""
    info = psutil.Process().memory_info()
    return {"resident": info.rss >> 20, "own": (info.rss - info.shared) >> 20}


def _megabytes(root: Path) -> int:
    """What the files of an index take on disk."""
    return sum(path.stat().st_size for path in root.rglob("*")) >> 20


def _in_process(function: Callable[..., dict[str, Any]], *arguments: object) -> dict[str, Any]:
    """Each step in a process of its own, so that its memory is its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("chunks", nargs="*", type=int, default=SIZES)
    parser.add_argument("--work", type=Path, help="where the indexes are made (a temporary folder)")
    args = parser.parse_args()
    RESULTS.mkdir(parents=True, exist_ok=True)
    file = RESULTS / "growth.json"
    results = {r["chunks"]: r for r in json.loads(file.read_text())} if file.exists() else {}
    for chunks in args.chunks:
        folder = Path(tempfile.mkdtemp(prefix="growth-", dir=args.work))
        try:
            results[chunks] = measure(chunks, folder)
        finally:
            shutil.rmtree(folder)
        print(json.dumps(results[chunks]), flush=True)
        file.write_text(json.dumps([results[size] for size in sorted(results)], indent=1) + "\n")
    write_report(file, RESULTS / "growth.md", RESULTS / "growth.svg")


if __name__ == "__main__":
    main()
