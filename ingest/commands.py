"""`ingest`: bring the index in line with its sources, with progress and a report."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

from tqdm import tqdm

from indexes.commands import add_index_option, index_of
from indexes.console import OK, Commands, command, show
from indexes.embedding import load_embedder
from indexes.settings import IndexSettings
from ingest.chunking import Chunker
from ingest.sources import require_source
from ingest.sync import Report, Synchroniser

_SHOWN = 20  # skipped files named in the text report; --json has them all


def add_commands(commands: Commands) -> None:
    parser = command(commands, "ingest", _ingest, "make the index hold exactly what the sources hold")
    parser.add_argument("sources", nargs="+", type=Path, metavar="SOURCE", help="folder, .md, .html or .jsonl file")
    parser.add_argument("--full", action="store_true", help="chunk and embed everything anew")
    add_index_option(parser)


def synchronise(sources: Sequence[Path], index: Path, settings: IndexSettings, *, full: bool = False) -> Report:
    """One ingest with the settings' model and chunk size, on all cores, with a progress bar."""
    for source in sources:  # before the model is made ready, which takes a while the first time
        require_source(source)
    embedder = load_embedder(settings.model, settings.models, threads=os.cpu_count() or 1)
    with ProgressBar() as progress:
        chunker = Chunker(settings.chunk_tokens)
        return Synchroniser(index, embedder, chunker, settings.keep, progress.update).sync(sources, full=full)


def count_tokens(text: str, settings: IndexSettings) -> int:
    """What the chunker counts: proves that its vocabulary is there without a download."""
    return Chunker(settings.chunk_tokens).count(text)


def _ingest(args: argparse.Namespace, settings: IndexSettings) -> int:
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    report = synchronise(args.sources, index_of(args, settings), settings, full=args.full)
    show(args, asdict(report), describe(report))
    return OK


class ProgressBar:
    """One bar for what is being done now, on standard error; nothing where that is no terminal."""

    def __init__(self) -> None:
        self._bar: tqdm[NoReturn] | None = None
        self._what = ""

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def update(self, what: str, done: int, total: int) -> None:
        bar = self._bar
        if bar is None or what != self._what:
            self.__exit__()
            self._bar = bar = tqdm(total=total or None, desc=what, disable=None, file=sys.stderr)
            self._what = what
        bar.update(done - bar.n)


def describe(report: Report) -> str:
    """The report in words."""
    lines = [
        f"{report.articles} articles, {report.chunks} chunks: {len(report.added)} added, "
        f"{len(report.changed)} changed, {len(report.removed)} removed, "
        f"{report.unchanged} unchanged, {len(report.skipped)} skipped.",
        f"{report.embedded} chunks embedded, {report.reused} reused, in {report.seconds} s."
        if report.generation
        else "Nothing has changed: the index is up to date.",
        *report.notes,
    ]
    if report.truncated:
        lines.append(f"{report.truncated} chunks are longer than the model reads; lower FOOTNOTE_CHUNK_TOKENS.")
    shown = report.skipped[:_SHOWN]
    lines += [f"skipped {s.origin}: {s.reason}{' (its last version stays)' if s.kept else ''}" for s in shown]
    if len(report.skipped) > len(shown):
        lines.append(f"… and {len(report.skipped) - len(shown)} more: see --json.")
    if report.ignored:
        kinds = ", ".join(f"{count} {ending}" for ending, count in sorted(report.ignored.items()))
        lines.append(f"ignored (neither Markdown, HTML nor JSONL): {kinds}")
    return "\n".join(lines)
