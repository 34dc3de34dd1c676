"""`status`, `verify`, `snapshots` and `rollback`: what is stored and whether it is whole."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from indexes.console import FAILED, OK, Commands, add_index_option, command, index_of, show
from indexes.errors import IndexesError, SnapshotMissing
from indexes.settings import IndexSettings
from indexes.snapshots.opening import open_whole
from indexes.snapshots.publishing import current_generation, generations, point_current, writing
from indexes.snapshots.snapshot import Manifest, Snapshot


def add_commands(commands: Commands) -> None:
    for name, run, summary in (
        ("status", _status, "show what the current index holds"),
        ("verify", _verify, "check every file of every snapshot against its recorded hash"),
        ("snapshots", _snapshots, "list the snapshots kept"),
        ("rollback", _rollback, "make an earlier snapshot the current one"),
    ):
        parser = command(commands, name, run, summary)
        add_index_option(parser)
        if name == "rollback":
            parser.add_argument("generation", nargs="?", help="which one; left out: the one before the current")


def _status(args: argparse.Namespace, settings: IndexSettings) -> int:
    opened = open_whole(index_of(args, settings))
    manifest = opened.snapshot.manifest
    text = "\n".join(
        [
            f"generation  {manifest.generation}, built {manifest.created}",
            f"articles    {manifest.articles}",
            f"chunks      {manifest.chunks}",
            f"spans       {_spans(opened.snapshot)}",
            f"model       {manifest.embedder}",
            f"sources     {', '.join(manifest.sources)}",
            *([f"problem     {opened.problem}"] if opened.problem else []),
        ]
    )
    show(args, {**asdict(manifest), "span_dimension": opened.snapshot.spans.dimension, "problem": opened.problem}, text)
    return FAILED if opened.problem else OK


def _spans(snapshot: Snapshot) -> str:
    count = snapshot.spans.total
    return f"{count} with a vector" if snapshot.spans.dimension else f"{count} without a vector: the model gives none"


def _verify(args: argparse.Namespace, settings: IndexSettings) -> int:
    root = index_of(args, settings)
    results = {name: damage(root / name) for name in generations(root)}
    if not results:
        raise SnapshotMissing(f"There is no index at {root} yet: run `footnote ingest SOURCE`.")
    lines = [f"{generation}  {problem or 'whole'}" for generation, problem in results.items()]
    show(
        args,
        {"snapshots": [{"generation": g, "whole": not p, "problem": p} for g, p in results.items()]},
        "\n".join(lines),
    )
    return FAILED if any(results.values()) else OK


def damage(folder: Path) -> str:
    """What is wrong with a snapshot; empty if it is whole."""
    try:
        Snapshot.open(folder).articles.close()
    except IndexesError as error:
        return str(error)
    return ""


def _snapshots(args: argparse.Namespace, settings: IndexSettings) -> int:
    root = index_of(args, settings)
    current = current_generation(root)
    rows = [_row(root / generation, current=generation == current) for generation in generations(root)]
    lines = [f"{'*' if row['current'] else ' '} {row['generation']}  {_contents(row)}" for row in rows]
    show(args, {"snapshots": rows}, "\n".join(lines) or f"No snapshots at {root}.")
    return OK


def _row(folder: Path, *, current: bool) -> dict[str, Any]:
    row: dict[str, Any] = {"generation": folder.name, "current": current, "problem": ""}
    try:
        manifest = Manifest.read(folder)
    except IndexesError as error:
        return {**row, "problem": str(error)}
    return {
        **row,
        "created": manifest.created,
        "articles": manifest.articles,
        "chunks": manifest.chunks,
        "changes": manifest.changes,
    }


def _contents(row: dict[str, Any]) -> str:
    if row["problem"]:
        return str(row["problem"])
    changes = ", ".join(f"{count} {what}" for what, count in row["changes"].items() if count and what != "skipped")
    return f"{row['created']}  {row['articles']} articles, {row['chunks']} chunks ({changes or 'nothing changed'})"


def _rollback(args: argparse.Namespace, settings: IndexSettings) -> int:
    root = index_of(args, settings)
    if not generations(root):
        raise SnapshotMissing(f"There is no index at {root} yet: run `footnote ingest SOURCE`.")
    with writing(root):
        target = args.generation or _whole_before_current(root)
        Snapshot.open(root / target).articles.close()  # never point at a damaged one
        point_current(root, target)
    show(args, {"generation": target}, f"The current snapshot is now {target}.")
    return OK


def _whole_before_current(root: Path) -> str:
    current = current_generation(root) or ""
    earlier = [generation for generation in generations(root) if generation < current]
    if not earlier:
        raise SnapshotMissing(f"There is no snapshot before {current or 'the first'} in {root}.")
    whole = (generation for generation in reversed(earlier) if not damage(root / generation))
    return next(whole, earlier[-1])
