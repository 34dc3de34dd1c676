"""Footnote beside txtai, Haystack and LlamaIndex: `python -m benchmarks.peers ARTICLES_FOLDER [--articles 500]`.

The same articles, weights and machine, one side after the other in one run; each peer in a virtual environment
of its own under `var/bench`, made the first time. Writes docs/benchmarks/peers.md and its plot.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, time
from typing import Any

from benchmarks.peers.protocol import CHANGE
from benchmarks.peers.report import write_report
from benchmarks.peers.results import Bare, Result, Run
from indexes.models.finding import BUNDLED, find_model

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
_QUESTIONS = ROOT / "benchmarks" / "data" / "development.jsonl"


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer: its packages, the script that uses it, and what it is called."""

    name: str
    script: str
    packages: tuple[str, ...]

    @property
    def python(self) -> Path:
        return ROOT / "var" / "bench" / self.name / "bin" / "python"

    def install(self) -> None:
        if self.python.exists():
            return
        venv.create(self.python.parent.parent, with_pip=True)
        pip = [str(self.python), "-m", "pip", "install", "--quiet", "-c", str(ROOT / "constraints.txt")]
        subprocess.run([*pip, "torch", *self.packages], check=True)


PEERS = (
    Peer("txtai", "with_txtai.py", ("txtai==9.14.0",)),
    Peer("haystack", "with_haystack.py", ("haystack-ai==3.4.1", "sentence-transformers-haystack==2.0.0")),
    Peer(
        "llama",
        "with_llamaindex.py",
        ("llama-index-core==0.14.25", "llama-index-embeddings-huggingface"),
    ),
)


def timed(command: Sequence[str | Path]) -> tuple[Run, dict[str, Any]]:
    """Run a command to its end; what it cost, and the JSON document on its last line."""
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONPATH": str(ROOT),
        "STARTED": str(time()),
    }
    started = perf_counter()
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen([str(part) for part in command], stdout=output, stderr=errors, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = perf_counter() - started
        for file in (output, errors):
            file.seek(0)
        if process.returncode:
            raise RuntimeError(f"{command} failed:\n{output.read()}{errors.read()[-2000:]}")
        printed = output.read()
    document = json.loads(printed) if printed.startswith("{\n") else json.loads(printed.strip().splitlines()[-1])
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000), document


def of_footnote(articles: Path, work: Path, questions: Path) -> tuple[Result, Bare]:
    index = work / "index"
    ingest: list[str | Path] = [sys.executable, "-m", "web.cli", "ingest", articles, "--index", index, "--json"]
    first, report = timed(ingest)
    code: list[str | Path] = [sys.executable, "-m", "benchmarks.peers.with_footnote"]
    bare = Bare(**timed([*code, "bare", index, questions])[1])
    again, _ = timed(ingest)
    with changed(articles):
        one, _ = timed(ingest)
    _, answers = timed([*code, "ask", index, questions])
    return Result("Footnote", report["chunks"], first, again, one, answers["questions"], answers["first"]), bare


@contextmanager
def changed(articles: Path) -> Iterator[None]:
    """The first article with a sentence more, for as long as it takes."""
    path = min(articles.rglob("*.md"))
    text = path.read_text(encoding="utf-8", errors="replace")
    path.write_text(text + CHANGE, encoding="utf-8")
    yield
    path.write_text(text, encoding="utf-8")


def of_peer(peer: Peer, articles: Path, work: Path, questions: Path) -> Result:
    model, store = find_model(BUNDLED, "none").folder, work / peer.name

    def run(action: str) -> dict[str, Any]:
        return timed([peer.python, HERE / peer.script, action, model, articles, store, questions])[1]

    written, answers = run("write"), run("ask")
    runs = {action: Run(**written[action]["run"]) for action in ("ingest", "again", "one")}
    named = {"llama": "LlamaIndex", "haystack": "Haystack"}.get(peer.name, peer.name)
    return Result(
        named,
        written["ingest"]["chunks"],
        runs["ingest"],
        runs["again"],
        runs["one"],
        answers["questions"],
        answers["first"],
    )


def sample(source: Path, count: int, folder: Path) -> None:
    """`count` Markdown files of `source`, drawn with a fixed seed, copied to `folder`."""
    paths = [path for path in sorted(source.rglob("*.md")) if 500 < path.stat().st_size < 100_000]
    for path in random.Random(0).sample(paths, min(count, len(paths))):
        target = folder / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("source", type=Path, help="folder of Markdown articles")
    arguments.add_argument("--articles", type=int, default=500)
    arguments.add_argument("--report", type=Path, default=ROOT / "docs" / "benchmarks" / "peers.md")
    args = arguments.parse_args()
    for peer in PEERS:
        peer.install()
    with tempfile.TemporaryDirectory(prefix="peers-") as scratch:
        work = Path(scratch)
        sample(args.source, args.articles, work / "articles")
        asked = [json.loads(line)["question"] for line in _QUESTIONS.read_text(encoding="utf-8").splitlines()]
        (work / "questions.txt").write_text("\n".join(asked), encoding="utf-8")
        footnote, bare = of_footnote(work / "articles", work, work / "questions.txt")
        results = [footnote]
        for peer in PEERS:
            try:
                results.append(of_peer(peer, work / "articles", work, work / "questions.txt"))
            except RuntimeError as error:  # the others are worth reporting
                print(error, file=sys.stderr, flush=True)
            else:
                print(peer.name, "done", file=sys.stderr, flush=True)
        count = len(list((work / "articles").rglob("*.md")))
    write_report(args.report, results, bare, count)
    print(args.report.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
