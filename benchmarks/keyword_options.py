"""Compares keyword indexes: `python -m benchmarks.keyword_options CHUNKS` (Tantivy where it is installed).

`--repeat N` measures our own index alone, over N copies of the chunks.

All index the same terms of the same seeded chunks, and answer the same questions of twelve words, any of which may
match, with their best 200 chunks by BM25; on one thread.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from benchmarks.synthetic import SyntheticBase
from indexes.search.analysis import informative_terms, terms
from indexes.search.keywords import KeywordIndex
from indexes.search.postings import Postings, merged
from indexes.search.row_map import RowMap
from indexes.types import keyword_text

Search: TypeAlias = Callable[[Sequence[str], int], list[int]]
Build: TypeAlias = Callable[[Path, SyntheticBase], Search]
_QUESTIONS = 60
_LIMIT = 200


def texts(base: SyntheticBase) -> Iterator[str]:
    for entry in base.articles_of(0, base.articles):
        for chunk in entry.chunks:
            yield keyword_text(entry.article, chunk)


def own_postings(folder: Path, base: SyntheticBase, copies: int = 1) -> Search:
    part, chunks = Postings.build(texts(base)), base.chunks
    if copies > 1:
        part = merged([(part, np.arange(chunks) + copy * chunks) for copy in range(copies)])
    part.save(folder)
    index = KeywordIndex([Postings.open(folder)], RowMap(copies * chunks, np.zeros(0, dtype=np.int64)))
    return lambda asked, limit: [hit.chunk for hit in index.search(dict.fromkeys(asked, 1.0), limit)]


def fts5(folder: Path, base: SyntheticBase) -> Search:
    database = sqlite3.connect(folder / "fts5.sqlite")
    database.execute("CREATE VIRTUAL TABLE chunks USING fts5(text, content='', tokenize='unicode61')")
    with database:
        database.executemany("INSERT INTO chunks (rowid, text) VALUES (?, ?)", enumerate(_joined(texts(base))))
        database.execute("INSERT INTO chunks (chunks) VALUES ('optimize')")

    def search(asked: Sequence[str], limit: int) -> list[int]:
        query = " OR ".join(f'"{term}"' for term in asked)
        rows = database.execute("SELECT rowid FROM chunks WHERE chunks MATCH ? ORDER BY rank LIMIT ?", (query, limit))
        return [int(row) for (row,) in rows]

    return search


def tantivy(folder: Path, base: SyntheticBase) -> Search:
    library: Any = importlib.import_module("tantivy")
    builder = library.SchemaBuilder()
    builder.add_text_field("text", stored=False, tokenizer_name="whitespace", index_option="freq")
    builder.add_integer_field("number", stored=True)
    schema = builder.build()
    index = library.Index(schema, path=str(folder))
    writer = index.writer(heap_size=200_000_000, num_threads=1)
    for number, text in enumerate(_joined(texts(base))):
        writer.add_document(library.Document(text=text, number=number))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    searcher = index.searcher()

    def search(asked: Sequence[str], limit: int) -> list[int]:
        should = [(library.Occur.Should, library.Query.term_query(schema, "text", term)) for term in asked]
        hits = searcher.search(library.Query.boolean_query(should), limit).hits
        return [searcher.doc(address)["number"][0] for _, address in hits]

    return search


def _joined(plain: Iterable[str]) -> Iterator[str]:
    return (" ".join(terms(text)) for text in plain)


def measure(name: str, build: Build, base: SyntheticBase) -> list[list[int]]:
    with tempfile.TemporaryDirectory(dir="var") as made:
        folder = Path(made)
        cpu = time.process_time()
        search = build(folder, base)
        built = time.process_time() - cpu
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
        spent, results = [], []
        for number in range(_QUESTIONS):
            asked = informative_terms(base.question(number))
            cpu = time.process_time()
            results.append(search(asked, _LIMIT))
            spent.append(1000 * (time.process_time() - cpu))
        p50, p95 = np.percentile(spent[10:], [50, 95])
        print(f"| {name} | {built:.0f} | {size:.0f} | {p50:.1f} | {p95:.1f} | ", end="", flush=True)
        return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("chunks", type=int)
    parser.add_argument("--repeat", type=int, default=1, metavar="N")
    args = parser.parse_args()
    base = SyntheticBase(args.chunks)
    ways: dict[str, Build] = {"own postings": partial(own_postings, copies=args.repeat)}
    if args.repeat == 1:
        ways["SQLite FTS5"] = fts5
        if importlib.util.find_spec("tantivy"):
            ways["Tantivy"] = tantivy
    print(f"{args.repeat * base.chunks} chunks, {_QUESTIONS} questions of twelve words, best {_LIMIT}\n")
    print("| index | build, CPU s | MB | CPU ms p50 | p95 | of the first ten, shared with own postings |")
    print("|---|---|---|---|---|---|")
    reference: list[list[int]] = []
    for name, build in ways.items():
        results = measure(name, build, base)
        reference = reference or results
        print(f"{np.mean([len({*a[:10]} & {*b[:10]}) / 10 for a, b in zip(results, reference, strict=True)]):.2f} |")


if __name__ == "__main__":
    main()
