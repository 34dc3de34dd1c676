"""The page of `benchmarks.growth`, with its plot: `python -m benchmarks.growth_report` writes it from the figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt

_PAGE = """# How the price grows with the knowledge base

`python -m benchmarks.growth`, 2 shared cores. Articles of twenty chunks of 110 words in a made-up language whose words
are as frequent as those of a real one; vectors with cluster structure (`benchmarks/synthetic.py`, seeded). Times are
medians of 60 questions of twelve words that are no stop words (real ones have about six), answered end to end by the
code that answers users, the model reading each. On a machine that others share, CPU time is what remains true.

![Latency, memory, disk and update time against the number of chunks](growth.svg)

## Answering a question

{questions}

One tag keeps 1 % of the chunks, the other 10 %. Above 100,000 chunks, a search under the first is still exact.

## Readers who may not read everything

{readers}

One article in a hundred is for a group. For a reader outside it, the view in which these articles do not exist is made
once a snapshot, for all readers with the same groups; then their questions (no filter) take the time shown.

## Building, opening, memory, disk

{sizes}

Build: from articles and vectors to a published snapshot (a first ingest without parsing and embedding, which grow with
the text alone). Own memory leaves out pages of mapped files, which the system can take back at any time. Disk: one
generation, and all kept ones after two updates, which share no file.

## Changing one article

{updates}

One article of twenty chunks changes in a source whose other articles do not: from the start of the ingest until the new
snapshot is published, and until a server that follows the index has found the new words. Reading the source's files is
not included (see `benchmarks/incremental.py`); parsing and embedding the article are.
"""


def write_report(figures: Path, page: Path, plot: Path) -> None:
    results = json.loads(figures.read_text(encoding="utf-8"))
    page.write_text(
        _PAGE.format(
            questions=_questions(results), readers=_readers(results), sizes=_sizes(results), updates=_updates(results)
        ),
        encoding="utf-8",
    )
    _plot(results, plot)


def _questions(results: list[dict[str, Any]]) -> str:
    rows = [
        [f"{r['chunks']:,}", *(f"{r['questions'][f][k]} ms" for f in r["questions"] for k in ("p50", "p95", "cpu_p50"))]
        for r in results
    ]
    filters = ("no filter", "1 % tag", "10 % tag")
    return _table(["chunks", *(f"{name}: {what}" for name in filters for what in ("p50", "p95", "CPU"))], rows)


def _readers(results: list[dict[str, Any]]) -> str:
    rows = [
        [
            f"{r['chunks']:,}",
            f"{r['view']['seconds']} s",
            f"{r['view']['own_mb']} MB",
            *(f"{r['restricted'][what]} ms" for what in ("p50", "p95", "cpu_p50")),
        ]
        for r in results
        if "view" in r
    ]
    return _table(["chunks", "making the view", "its memory", "question: p50", "p95", "CPU"], rows)


def _sizes(results: list[dict[str, Any]]) -> str:
    rows = [
        [
            f"{r['chunks']:,}",
            f"{r['build']['seconds']} s",
            f"{r['build']['cpu_seconds']} s",
            f"{r['build_peak_mb']:,} MB",
            f"{r['open']['seconds']} s",
            f"{r['serving_mb']['own'] - r['without_index_mb']['own']} MB",
            f"{r['serving_mb']['resident']} MB",
            f"{r['disk_mb']:,} MB",
            f"{r['disk_after_updates_mb']:,} MB",
        ]
        for r in results
    ]
    return _table(
        [
            "chunks",
            "build",
            "CPU",
            "peak memory",
            "verify and open",
            "own memory for it",
            "resident, serving",
            "disk",
            "disk, 3 generations",
        ],
        rows,
    )


def _updates(results: list[dict[str, Any]]) -> str:
    rows = [
        [
            f"{r['chunks']:,}",
            f"{r['unchanged']['seconds']} s",
            f"{r['unchanged']['cpu_seconds']} s",
            *(f"{u[what]} s" if what in u else "" for u in r["updates"][-1:] for what in ("published", "live", "cpu")),
        ]
        for r in results
    ]
    changed = [f"one article changed: {what}" for what in ("published", "live", "CPU until live")]
    return _table(["chunks", "nothing changed", "CPU", *changed], rows)


def _table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


def _plot(results: list[dict[str, Any]], path: Path) -> None:
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "growth", "font.size": 9})
    sizes = [r["chunks"] for r in results]
    figure, ((latency, memory), (disk, update)) = plt.subplots(2, 2, figsize=(9, 6), layout="constrained")
    for name, label in (("all", "no filter"), ("one percent", "1 % tag"), ("ten percent", "10 % tag")):
        latency.plot(sizes, [r["questions"][name]["p50"] for r in results], marker="o", label=f"p50, {label}")
    latency.plot(sizes, [r["questions"]["all"]["p95"] for r in results], "--", label="p95, no filter")
    memory.plot(sizes, [r["serving_mb"]["own"] for r in results], marker="o", label="own")
    memory.plot(sizes, [r["serving_mb"]["resident"] for r in results], "--", label="resident")
    disk.plot(sizes, [r["disk_mb"] for r in results], marker="o", label="one generation")
    disk.plot(sizes, [r["disk_after_updates_mb"] for r in results], "--", label="after two updates")
    update.plot(sizes, [r["updates"][-1]["live"] for r in results], marker="o", label="one article changed, live")
    update.plot(sizes, [r["unchanged"]["seconds"] for r in results], "--", label="nothing changed")
    for axes, title in (
        (latency, "Answering a question, ms"),
        (memory, "Memory of a server, MB"),
        (disk, "Disk, MB"),
        (update, "Ingest, s"),
    ):
        axes.set(title=title, xscale="log", xlabel="chunks", ylim=(0, None))
        axes.grid(alpha=0.3)
        axes.legend()
    disk.set(yscale="log", ylim=(1, None))
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


if __name__ == "__main__":
    folder = Path(__file__).parent.parent / "docs" / "benchmarks"
    write_report(folder / "growth.json", folder / "growth.md", folder / "growth.svg")
