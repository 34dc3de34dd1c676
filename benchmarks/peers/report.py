"""Writes the comparison as a page: a table, a plot, and notes on how to read them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import matplotlib

from benchmarks.peers.results import Bare, Result

_PAGE = """# Footnote beside other tools that retrieve

Written by `python -m benchmarks.peers ARTICLES_FOLDER --articles {articles}`: {articles} Markdown articles, the weights
of all-MiniLM-L6-v2, {cores} shared cores, each side in its own process and environment, one after the other in one run.
The machine's one-minute load was {load:.0f} at the end; where others share it, CPU seconds are the figure to trust.

![ingest, memory, question and cold start]({plot})

| | {names} |
|---|{rule}|
{rows}

A CPU second of Footnote ingests {fastest} as many articles as one of the fastest peer; by the clock it is {clock}.

The model alone, as fast as ONNX Runtime goes over Footnote's {bare_chunks} chunks, takes {bare_cpu:.1f} CPU seconds:
Footnote's whole ingest, from the start of its process to the published snapshot, runs at {bare_share:.0f} % of that
pace ({bare_clock:.0f} % by the clock).

- Ingest is from the start of a process to an index on the disk: reading, cutting and embedding included.
- The sides cut differently: Footnote along headings and blocks within 185 tokens, txtai and Haystack into 130 words,
  LlamaIndex into 185 tokens. Articles compare the whole; chunks differ.
- Footnote embeds in int8, which does not change retrieval ([decision](../decisions/embedding-runtime.md)); the peers
  run the same weights in PyTorch, as they come. How much int8 saves depends on the processor: this one has {vnni}
  instructions for it (VNNI).
- The second ingest and that of one article run in the process of the first for the peers, which spares them their
  start; Footnote is started anew.
- txtai and Haystack do not know what has changed, so a second ingest embeds everything again; whoever uses them keeps
  track. For one changed article they were told which one.
- A question: Footnote answers in full (search, evidence, quotations, citations, related articles); the peers search
  only, txtai and Haystack by keywords and vectors, LlamaIndex by vectors.
"""


def write_report(path: Path, results: Sequence[Result], bare: Bare, articles: int) -> None:
    """Write the page at `path` and its plot beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    plot = path.with_suffix(".svg")
    _plot(plot, results, articles)
    footnote, peers = results[0], results[1:]
    cpu = min(peer.ingest.cpu for peer in peers) / footnote.ingest.cpu
    clock = min(peer.ingest.seconds for peer in peers) / footnote.ingest.seconds
    page = _PAGE.format(
        articles=articles,
        cores=os.cpu_count(),
        load=os.getloadavg()[0],
        plot=plot.name,
        names=" | ".join(result.name for result in results),
        rule="|".join("---" for _ in results),
        rows="\n".join(_rows(results, articles)),
        fastest=f"{cpu:.1f} ×",
        clock=f"{clock:.1f} ×",
        bare_chunks=bare.chunks,
        bare_cpu=bare.cpu,
        bare_share=100 * bare.cpu / footnote.ingest.cpu,
        bare_clock=100 * bare.seconds / footnote.ingest.seconds,
        vnni="the" if _has_vnni() else "no",
    )
    path.write_text(page, encoding="utf-8")


def _has_vnni() -> bool:
    described = Path("/proc/cpuinfo")
    return described.exists() and "vnni" in described.read_text(encoding="utf-8")


def _rows(results: Sequence[Result], articles: int) -> list[str]:
    figures = {
        "chunks": [f"{r.chunks}" for r in results],
        "ingest: CPU seconds": [f"{r.ingest.cpu:.0f}" for r in results],
        "ingest: articles a CPU second": [f"{articles / r.ingest.cpu:.2f}" for r in results],
        "ingest: chunks a CPU second": [f"{r.chunks / r.ingest.cpu:.1f}" for r in results],
        "ingest: articles a second": [f"{articles / r.ingest.seconds:.2f}" for r in results],
        "ingest: chunks a second": [f"{r.chunks / r.ingest.seconds:.1f}" for r in results],
        "ingest: peak memory, MB": [f"{r.ingest.peak:.0f}" for r in results],
        "again, nothing changed: CPU seconds (seconds)": [
            f"{r.again.cpu:.1f} ({r.again.seconds:.1f})" for r in results
        ],
        "one article changed: CPU seconds (seconds)": [f"{r.one.cpu:.1f} ({r.one.seconds:.1f})" for r in results],
        "question, warm: p50, p95, ms": [f"{r.percentile(0.5):.0f}, {r.percentile(0.95):.0f}" for r in results],
        "start to first answer, seconds": [f"{r.first:.1f}" for r in results],
    }
    return [f"| {what} | {' | '.join(values)} |" for what, values in figures.items()]


def _plot(path: Path, results: Sequence[Result], articles: int) -> None:
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "footnote"
    from matplotlib import pyplot

    panels = {
        "articles ingested a CPU second": [articles / r.ingest.cpu for r in results],
        "peak memory of ingest, MB": [r.ingest.peak for r in results],
        "question p50, ms": [r.percentile(0.5) for r in results],
        "start to first answer, s": [r.first for r in results],
    }
    figure, axes = pyplot.subplots(1, len(panels), figsize=(14, 2.6), layout="constrained")
    names = [r.name for r in results]
    for axis, (title, values) in zip(axes, panels.items(), strict=True):
        bars = axis.barh(names, values, color=["#1f6f50", *["#9aa5a0"] * (len(results) - 1)])
        axis.bar_label(bars, fmt="%.3g", padding=2)
        axis.set_title(title, fontsize=10)
        axis.invert_yaxis()
        axis.margins(x=0.2)
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
