"""The `ingest` command: brings the index in line with its sources, with progress and a report."""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from tqdm import tqdm

from indexes.console import OK, Commands, add_index_option, command, index_of, show
from indexes.models.embedding import load_embedder
from indexes.settings import IndexSettings
from indexes.snapshots.publisher import SnapshotPublisher
from indexes.snapshots.publishing import require_free
from ingest.chunking import Chunker
from ingest.isolation import Isolated
from ingest.planning import Progress
from ingest.sources.folders import require_source
from ingest.sources.items import Skipped, Source
from ingest.sync import Report, Synchroniser

_SHOWN = 20  # skipped files named in the text report; --json has them all


def add_commands(commands: Commands) -> None:
    parser = command(commands, "ingest", _ingest, "make the index hold exactly what the sources hold")
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help="folder, file, export, or address of a website")
    parser.add_argument("--full", action="store_true", help="chunk and embed everything anew")
    parser.add_argument("--watch", action="store_true", help="go on: follow every change until stopped by Ctrl-C")
    parser.add_argument(
        "--interval",
        type=_positive,
        default=15.0,
        metavar="MINUTES",
        help="with --watch: how often websites are asked and folders read in full (15)",
    )
    parser.add_argument("--max-pages", type=_positive, default=5_000, metavar="N", help="of a website (5000)")
    parser.add_argument("--max-minutes", type=_positive, default=60.0, metavar="N", help="for a website (60)")
    add_index_option(parser)


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < 1e9:
        raise ValueError
    return number


def synchronise(
    sources: Sequence[Path | Source], index: Path, settings: IndexSettings, *, full: bool = False
) -> Report:
    """One ingest with the model and chunk size of the settings, on all cores, with a progress bar."""
    for source in sources:  # before the model is loaded, which may export it first
        if isinstance(source, Path):
            require_source(source)
    require_free(index)
    with ProgressBar() as progress:
        return _synchroniser(index, settings, progress.update).sync(sources, full=full)


def _synchroniser(index: Path, settings: IndexSettings, progress: Progress) -> Synchroniser:
    embedder = load_embedder(
        settings.model, settings.models, settings.precision, settings.adapter, workers=os.cpu_count() or 1
    )
    publisher = SnapshotPublisher(index, settings.keep)
    return Synchroniser(publisher, embedder, Chunker(settings.chunk_tokens), progress)


def count_tokens(text: str, settings: IndexSettings) -> int:
    """Tokens as the chunker counts them, which proves that its vocabulary needs no download."""
    return Chunker(settings.chunk_tokens).count(text)


def _ingest(args: argparse.Namespace, settings: IndexSettings) -> int:
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    index = index_of(args, settings)
    with Isolated() as isolated:
        sources = [_source(name, index, args, isolated) for name in args.sources]
        if args.watch:
            return _follow(args, sources, index, settings)
        report = synchronise(sources, index, settings, full=args.full)
    show(args, asdict(report), describe(report))
    return OK


def _source(name: str, index: Path, args: argparse.Namespace, isolated: Isolated) -> Path | Source:
    if not name.lower().startswith(("http://", "https://")):
        return Path(name)
    from ingest.sources.website.crawling import Limits, Website

    fresh = args.interval * 30 if args.watch else 0.0  # half an interval: changes in a folder request no page
    return Website(name, index, Limits(int(args.max_pages), seconds=args.max_minutes * 60, fresh=fresh), isolated)


def _follow(args: argparse.Namespace, sources: Sequence[Path | Source], index: Path, settings: IndexSettings) -> int:
    paths = [source for source in sources if isinstance(source, Path)]
    for path in paths:
        require_source(path)
    from ingest.watching import follow

    reporter = FollowReporter(args.json)
    with ProgressBar() as progress:
        synchroniser = _synchroniser(index, settings, progress.update)

        def sync() -> None:
            report = synchroniser.sync(sources, full=args.full and reporter.printed == 0)
            progress.close()
            reporter.report(report)

        with contextlib.suppress(KeyboardInterrupt):  # the way to stop following
            follow(paths, index, args.interval * 60, sync, reporter.error)
    return OK


class ProgressBar:
    """Shows the current step on standard error, if that is a terminal."""

    def __init__(self) -> None:
        self._bar: tqdm[NoReturn] | None = None
        self._step = ""

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
        self._bar, self._step = None, ""

    def update(self, step: str, done: int, total: int) -> None:
        bar = self._bar
        if bar is None or step != self._step:
            self.close()
            self._bar = bar = tqdm(total=total or None, desc=step, disable=None, file=sys.stderr)
            self._step = step
        bar.update(done - bar.n)


class FollowReporter:
    """Prints what following does, a line an event for programs and a paragraph for people, if there is news."""

    def __init__(self, json: bool) -> None:
        self._json = json
        self._skipped: tuple[Skipped, ...] = ()
        self.printed = 0

    def report(self, report: Report) -> None:
        if self.printed and not report.generation and report.skipped == self._skipped:
            return
        self._skipped = report.skipped
        self._print(asdict(report), describe(report))

    def error(self, error: Exception) -> None:
        self._print({"error": str(error)}, f"{error} It will be tried again.")

    def _print(self, document: dict[str, object], text: str) -> None:
        self.printed += 1
        line = json.dumps(document, ensure_ascii=False) if self._json else f"{datetime.now():%H:%M:%S}  {text}"
        print(line.encode("utf-8", "backslashreplace").decode(), flush=True)


def describe(report: Report) -> str:
    """The report as text."""
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
        lines.append(f"ignored (no articles): {kinds}")
    return "\n".join(lines)
