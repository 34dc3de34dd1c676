"""The command `evaluate`: a judged set through ingest and answering, in a throw-away index."""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

from tqdm import tqdm

from indexes.console import OK, Commands, command, show
from indexes.settings import IndexSettings
from qa.composition import build_answering, required_embedder
from qa.evaluation.sets import EvaluationSet, Outcome, compare, read_run, run, summary, write_run


def add_commands(commands: Commands) -> None:
    parser = command(commands, "evaluate", _evaluate, "score retrieval and abstention on a judged set")
    parser.add_argument("set", type=Path, metavar="SET_DIR", help="folder with corpus.jsonl, queries.jsonl, qrels.tsv")
    parser.add_argument("--corpus", type=Path, metavar="SOURCE", help="ingest this instead of the set's corpus.jsonl")
    parser.add_argument("--run", type=Path, dest="run_file", metavar="FILE", help="write the rankings to FILE")
    parser.add_argument("--compare", type=Path, metavar="RUN", help="compare with the rankings of an earlier --run")
    parser.add_argument("--rewrites", action="store_true", help="ask the set's stand-alone rewrites, without history")
    parser.add_argument("--index", type=Path, metavar="DIR", help="keep the set's index in DIR for the next evaluation")


def _evaluate(args: argparse.Namespace, settings: IndexSettings) -> int:
    evaluated = EvaluationSet.open(args.set, args.corpus)
    earlier = read_run(args.compare) if args.compare else None
    with tempfile.TemporaryDirectory(prefix="footnote-evaluate-") as scratch:
        own = settings.at(args.index or Path(scratch))
        ingested = _ingest(evaluated.corpus, own)
        outcomes = _ask_all(evaluated, own, args.rewrites)
    if args.run_file:
        write_run(args.run_file, outcomes)
    document: dict[str, Any] = {**summary(outcomes, evaluated.judgements), "ingest": ingested}
    if earlier is not None:
        rankings = {outcome.query.id: outcome.ranking for outcome in outcomes}
        differences = compare(earlier, rankings, evaluated.judgements)
        document["compared"] = {name: asdict(difference) for name, difference in differences.items()}
    show(args, document, _in_words(document))
    return OK


def _ingest(corpus: Path, settings: IndexSettings) -> dict[str, float]:
    # Imported here: its libraries cost time that `--help` need not wait for.
    from ingest.commands import synchronise

    report = synchronise([corpus], settings.index, settings)
    return {"documents": report.articles, "chunks": report.chunks, "seconds": report.seconds}


def _ask_all(evaluated: EvaluationSet, settings: IndexSettings, rewrites: bool) -> list[Outcome]:
    # One thread a question, as the server has it, so that the latencies are those of users.
    parts = build_answering(settings, find_embedder=required_embedder)
    with tqdm(total=len(evaluated.queries), desc="Asking", disable=None, file=sys.stderr) as bar:
        return run(
            parts.answerer,
            parts.store.current(),
            evaluated.queries,
            rewrites=rewrites,
            done=lambda done: _advance(bar, done),
        )


def _advance(bar: tqdm[NoReturn], done: int) -> None:
    bar.update(done - bar.n)


def _in_words(document: dict[str, Any]) -> str:
    return "\n".join(_lines("", document))


def _lines(prefix: str, document: dict[str, Any]) -> list[str]:
    lines = []
    for name, value in document.items():
        if isinstance(value, dict):
            lines += _lines(f"{prefix}{name} ", value)
        else:
            lines.append(f"{prefix}{name:<32} {round(value, 4) if isinstance(value, float) else value}")
    return lines
