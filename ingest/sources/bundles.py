"""Reads files that hold many articles: JSONL and JSON exports, and zip archives of pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

from indexes.types import Category
from ingest.errors import ArticleRejected
from ingest.formats.parsing import LARGEST, parse_record, read_record, record_id
from ingest.formats.product_exports import is_draft, records
from ingest.sources.archives import ArchiveEntry, entries
from ingest.sources.file_kinds import ARTICLES, LARGE, Ids, article_item
from ingest.sources.files import open_file, read_file
from ingest.sources.items import Ignored, Skipped, SourceEntry, SourceItem, fingerprint

JSONL, JSON, ZIP = ".jsonl", ".json", ".zip"
_LARGEST_EXPORT = 128 * 1024 * 1024  # bytes of a JSON export, which is read whole
_ID = re.compile(rb'"id"\s*:\s*"([^"\\]{1,1000})"')


def read_bundle(path: Path, category: Category, ignored: Ignored) -> Iterator[SourceEntry]:
    """Every article of an export or archive. If it cannot be read, all its articles keep their last version."""
    try:
        ending = path.suffix.lower()
        if ending == ZIP:
            with open_file(path) as file:
                yield from _archive(path, file, category, ignored)
        elif ending == JSON:
            yield from _records(path, records(read_file(path, _LARGEST_EXPORT)), category, ignored)
        else:
            with open_file(path) as file:
                yield from _records(path, _lines(file), category, ignored)
    except ArticleRejected as error:
        yield Skipped(str(path), str(error), under="")


def _records(path: Path, lines: Iterable[bytes], category: Category, ignored: Ignored) -> Iterator[SourceEntry]:
    for number, raw in enumerate(lines, start=1):
        if not raw.strip():
            continue
        origin = f"{path}:{number}"
        try:
            fields = read_record(raw)
            id = record_id(fields)
        except ArticleRejected as error:
            id_text = _ID.search(raw)  # so that the article of a broken line keeps its last version
            yield Skipped(origin, str(error), id_text.group(1).decode("utf-8", "replace") if id_text else "")
            continue
        if is_draft(fields):  # not skipped: an article that was published before must go
            ignored.counts["draft"] += 1
            continue
        parse, costly = partial(parse_record, raw, category), len(raw) > LARGE
        yield SourceItem(id, origin, category, fingerprint(raw, JSONL, category), parse, costly)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file; of an overlong one only the beginning, which is then rejected for its length."""
    while raw := file.readline(LARGEST + 1):
        rest = raw
        while rest and not rest.endswith(b"\n"):
            rest = file.readline(LARGEST)
        yield raw


def _archive(path: Path, file: BinaryIO, category: Category, ignored: Ignored) -> Iterator[SourceEntry]:
    ids = Ids()
    for entry in entries(file, ARTICLES):
        origin = f"{path}:{entry.path}"
        if entry.problem:
            yield _skipped(origin, entry, ids)
        elif entry.path.suffix.lower() in ARTICLES:
            yield article_item(ids.of(entry.path, entry.raw), origin, entry.path, entry.raw, category)
        else:
            ignored.counts[entry.path.suffix.lower() or entry.path.name] += 1


def _skipped(origin: str, entry: ArchiveEntry, ids: Ids) -> Skipped:
    if entry.path.suffix.lower() == ZIP:
        return Skipped(origin, entry.problem, under="")
    return Skipped(origin, entry.problem, ids.of(entry.path))
