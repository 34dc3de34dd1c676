"""Compares ways to cut, label and index articles: `python -m benchmarks.cutting --out DIR [SET_DIR]`.

Without a set: the bundled KB and `data/development.jsonl`. With one, a part of it, so that every way is embedded within
minutes: the documents that its first `--queries` judged queries need, and the first others up to `--documents`. Each
way is ingested into DIR, where the next run finds it, and ranked by the code that answers users.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from benchmarks.retrieval import Table, questions
from indexes.models.embedding import Embedder, load_embedder
from indexes.search import analysis
from indexes.search.keywords import KeywordIndex
from indexes.settings import IndexSettings
from indexes.snapshots.publisher import SnapshotPublisher
from indexes.snapshots.publishing import open_current
from indexes.snapshots.snapshot import Snapshot
from indexes.types import Article, Chunk, Filter, embedded_text, keyword_text
from ingest.chunking import Chunker
from ingest.structure import Outline
from ingest.sync import Synchroniser
from qa.evaluation.sets import EvaluationSet, Judgements, Query
from qa.question.follow_ups import HistoryRewriter
from qa.retrieval import DEPTH, Retriever
from qa.types import Question

KB = Path(__file__).parent.parent / "kb"
DEVELOPMENT = Path(__file__).parent / "data" / "development.jsonl"
_BUDGET = IndexSettings.model_fields["chunk_tokens"].default
_LABEL_ROOM = 40  # tokens a summary and tags take, so that the model still reads all of the chunk


# Labels are named functions and classes, not lambdas: a large article is cut in another process.


def _headings(article: Article, chunk: Chunk, before: Chunk | None) -> str:
    return chunk.context


@dataclass(frozen=True, slots=True)
class Cut:
    """A way to cut: a token budget, and what stands before each chunk's text (`before` is the chunk before it)."""

    name: str
    budget: int = _BUDGET
    label: Callable[[Article, Chunk, Chunk | None], str] = _headings


class Relabelled:
    """The chunker of a `Cut`."""

    def __init__(self, cut: Cut) -> None:
        self._cut = cut
        self._chunker = Chunker(cut.budget)
        self.id = f"{self._chunker.id} {cut.name}"

    def chunk(self, article: Article, outline: Outline) -> tuple[Chunk, ...]:
        chunks = self._chunker.chunk(article, outline)
        before = [None, *chunks[:-1]]
        return tuple(replace(c, context=self._cut.label(article, c, b)) for c, b in zip(chunks, before, strict=True))


def _nothing(article: Article, chunk: Chunk, before: Chunk | None) -> str:
    return ""


def _title(article: Article, chunk: Chunk, before: Chunk | None) -> str:
    return article.title


def _summary(article: Article, chunk: Chunk, before: Chunk | None) -> str:
    return f"{chunk.context}\n{article.summary}"


def _summary_and_tags(article: Article, chunk: Chunk, before: Chunk | None) -> str:
    return f"{chunk.context}\n{article.summary}\n{', '.join(article.tags)}"


@dataclass(frozen=True, slots=True)
class _Overlap:
    """The last sentences of the chunk before, if it is of the same section."""

    sentences: int

    def __call__(self, article: Article, chunk: Chunk, before: Chunk | None) -> str:
        if before is None or before.heading != chunk.heading:
            return chunk.context
        last = [q for q in before.quotables if q.kind in ("sentence", "item")][-self.sentences :]
        return "\n".join([chunk.context, *(article.markdown[q.start : q.end] for q in last)])


CUTS = (
    Cut("in use: 185 tokens, title › headings"),
    Cut("96 tokens", 96),
    Cut("128 tokens", 128),
    Cut("230 tokens (the model cuts some)", 230),
    Cut("overlap of one sentence", _BUDGET - 30, _Overlap(1)),
    Cut("overlap of two sentences", _BUDGET - 60, _Overlap(2)),
    Cut("no context line", label=_nothing),
    Cut("title alone", label=_title),
    Cut("summary too", _BUDGET - _LABEL_ROOM, _summary),
    Cut("summary and tags too", _BUDGET - _LABEL_ROOM, _summary_and_tags),
)


def ingest(source: Path, root: Path, cut: Cut, embedder: Embedder) -> Snapshot:
    def quiet(what: str, done: int, total: int) -> None:
        return None

    Synchroniser(SnapshotPublisher(root, 1), embedder, cast(Chunker, Relabelled(cut)), quiet).sync([source])
    return open_current(root)


def fused(snapshot: Snapshot, embedder: Embedder, queries: Sequence[Query]) -> list[list[Any]]:
    rewriter, retriever = HistoryRewriter(), Retriever(embedder)
    asked = [rewriter.standalone(Question(query.text, history=query.history)) for query in queries]
    return [list(retriever.retrieve(snapshot, question, Filter(), 1).ranking) for question in asked]


# Ways to fill the keyword index, on the cut in use


@contextmanager
def words(*, stemmed: bool, stop_words: frozenset[str]) -> Iterator[None]:
    """Replaces the analysis of texts and questions within the context, to see what the one in use gains."""
    stem, stops = analysis._stem, analysis.STOP_WORDS
    if not stemmed:
        analysis._stem = lambda word: word  # type: ignore[assignment]
    analysis.STOP_WORDS = stop_words
    try:
        yield
    finally:
        analysis._stem, analysis.STOP_WORDS = stem, stops


def _indexed(snapshot: Snapshot, text: Callable[[Article, Chunk], str]) -> KeywordIndex:
    numbers = range(snapshot.manifest.chunks)
    stored = (entry for start in numbers[::1000] for entry in snapshot.articles.chunks(numbers[start : start + 1000]))
    return KeywordIndex.build(text(entry.article, entry.chunk) for entry in stored)


def by_keywords(snapshot: Snapshot, queries: Sequence[Query], text: Callable[[Article, Chunk], str]) -> list[list[Any]]:
    index = _indexed(snapshot, text)
    asked = [analysis.informative_terms(query.text) or analysis.terms(query.text) for query in queries]
    return [index.search(dict.fromkeys(terms, 1.0), DEPTH) for terms in asked]


def _own(article: Article, chunk: Chunk) -> str:
    return article.markdown[chunk.start : chunk.end]


def _with_context(article: Article, chunk: Chunk) -> str:
    return embedded_text(chunk, _own(article, chunk))


def keyword_table(snapshot: Snapshot, queries: Sequence[Query], judgements: Judgements) -> Table:
    stops = analysis.STOP_WORDS
    table = Table(queries, judgements)
    table.add("in use", snapshot, by_keywords(snapshot, queries, keyword_text))
    table.add("without summary and tags", snapshot, by_keywords(snapshot, queries, _with_context))
    table.add("without context line, summary, tags", snapshot, by_keywords(snapshot, queries, _own))
    with words(stemmed=False, stop_words=stops):
        table.add("without stemming", snapshot, by_keywords(snapshot, queries, keyword_text))
    with words(stemmed=True, stop_words=frozenset()):
        table.add("without stop words", snapshot, by_keywords(snapshot, queries, keyword_text))
    return table


def part_of(folder: Path, out: Path, limit: int, documents: int) -> tuple[Path, list[Query], Mapping[str, Any]]:
    """The part's corpus (a file in `out`), its queries and judgements."""
    judged = EvaluationSet.open(folder)
    queries = [query for query in judged.queries if judged.judgements.get(query.id)][:limit]
    judgements = {query.id: judged.judgements[query.id] for query in queries}
    needed = {document for judged_documents in judgements.values() for document in judged_documents}
    lines = judged.corpus.read_text(encoding="utf-8").splitlines()
    ids = [str(json.loads(line)["id"]) for line in lines]
    others = [id for id in ids if id not in needed][: max(0, documents - len(needed))]
    included = needed | set(others)
    out.mkdir(parents=True, exist_ok=True)
    corpus = out / "corpus.jsonl"
    corpus.write_text(
        "".join(f"{line}\n" for id, line in zip(ids, lines, strict=True) if id in included), encoding="utf-8"
    )
    return corpus, queries, judgements


def main() -> None:
    settings = IndexSettings()
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("set", nargs="?", type=Path)
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("--queries", type=int, default=300)
    arguments.add_argument("--documents", type=int, default=300)
    arguments.add_argument("--model", action="append", default=[], help="another embedding model to compare")
    args = arguments.parse_args()
    if args.set:
        source, queries, judgements = part_of(args.set, args.out, args.queries, args.documents)
    else:
        source, (queries, judgements) = KB, questions(DEVELOPMENT)
    embedder = load_embedder(settings.model, settings.models, settings.precision, settings.adapter, workers=2)
    table = Table(queries, judgements)
    first = None
    for number, cut in enumerate(CUTS):
        snapshot = ingest(source, args.out / str(number), cut, embedder)
        first = first or snapshot
        table.add(f"{cut.name} ({snapshot.manifest.chunks} chunks)", snapshot, fused(snapshot, embedder, queries))
    for model in args.model:
        other = load_embedder(model, settings.models, "fp32", "none", workers=2)  # not every model bears int8
        snapshot = ingest(source, args.out / other.id, CUTS[0], other)
        table.add(f"model {Path(model).name}, fp32", snapshot, fused(snapshot, other, queries))
    print(table)
    assert first is not None
    print(f"\nKeywords alone:\n\n{keyword_table(first, queries, judgements)}")


if __name__ == "__main__":
    main()
