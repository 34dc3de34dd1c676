"""The tests' side of the driver: ingests that can be killed, traced and starved; and what must hold afterwards."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from indexes.snapshots.publishing import current_generation, generations, open_current
from indexes.snapshots.snapshot import Snapshot
from tests.conftest import ROOT

Contents = dict[str, str]  # article id → Markdown


@dataclass(frozen=True)
class Ended:
    """How an ingest ended: its exit code (negative: the signal), whether it had reported success, what it said."""

    code: int
    acknowledged: bool
    seconds: float
    output: str


class Driver:
    """Orders ingests from the warm process."""

    def __init__(self, process: subprocess.Popen[str], folder: Path, model: str) -> None:
        self._process = process
        self._folder = folder
        self._outputs: dict[int, Path] = {}
        self.model = model

    @classmethod
    def start(cls, folder: Path, model: str) -> Driver:
        command = [sys.executable, "-m", "tests.faults.driver"]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return cls(process, folder, model)

    def close(self) -> None:
        self._process.communicate()

    def begin(
        self,
        source: Path,
        root: Path,
        *,
        pause: float = 0.0,
        traced: bool = False,
        model: str | None = None,
    ) -> int:
        """Start an ingest that takes `pause` seconds a batch; its process id. A traced one waits for its tracer."""
        output = self._folder / f"output-{len(self._outputs)}"
        order = {
            "do": "start",
            "root": str(root),
            "source": str(source),
            "model": model or self.model,
            "pause": pause,
            "traced": traced,
            "output": str(output),
        }
        process = int(self._asked(order)["process"])
        self._outputs[process] = output
        return process

    def end(self, process: int, kill_after: float | None = None) -> Ended:
        """Wait for it, or SIGKILL it after so many seconds."""
        ended = self._asked({"do": "end", "process": process, "kill_after": kill_after})
        output = self._outputs.pop(process)
        return Ended(**ended, output=output.read_text(errors="replace") if output.exists() else "")

    def ingest(self, source: Path, root: Path, kill_after: float | None = None, *, model: str | None = None) -> Ended:
        return self.end(self.begin(source, root, model=model), kill_after)

    def _asked(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


def revision(number: int) -> Contents:
    """A small knowledge base that differs from every other revision in each article, and in which articles it has."""
    texts = {
        f"article-{n}": (
            f"# Service {n} in revision r{number}\n\n"
            f"The service number {n} is at revision r{number}. It listens on port {8000 + n}.\n\n"
            f"## Restarting\n\nRun the command below to restart service {n} of revision r{number}:\n\n"
            f"```bash\nsystemctl restart service-{n}\n```\n"
        )
        for n in range(5)
    }
    del texts[f"article-{number % 5}"]
    return texts


def held(number: int) -> Contents:
    """A revision as an index holds it."""
    return {id: text.strip() for id, text in revision(number).items()}


def write_revision(source: Path, number: int) -> Contents:
    """Make `source` hold that revision. What an index of it holds."""
    source.mkdir(exist_ok=True)
    for old in source.glob("*.md"):
        old.unlink()
    for id, text in revision(number).items():
        (source / f"{id}.md").write_text(text)
    return held(number)


def contents(root: Path) -> Contents:
    """What the current snapshot answers from. Fails unless it is whole, its parts agree, and it is found again."""
    snapshot = open_current(root)
    markdown = {}
    for id in snapshot.articles.ids():
        article = snapshot.articles.article(id)
        assert article is not None
        markdown[id] = article.markdown.strip()
    _require_found(snapshot)
    return markdown


def _require_found(snapshot: Snapshot) -> None:
    """Every chunk lies where both indexes say."""
    for id in snapshot.articles.ids():
        for number in snapshot.articles.chunks_of(id):
            vector = snapshot.vectors.rows(np.array([number]))[0]
            best = snapshot.vectors.search(vector, 1)[0].score  # its own: others may say the very same
            assert best > 0.999
    found = {hit.chunk for hit in snapshot.keywords.search({"servic": 1.0}, 1000)}
    assert len(found) == snapshot.manifest.chunks


def require_whole(root: Path) -> None:
    """Every generation there is, not only the current one, can be rolled back to."""
    for generation in generations(root):
        Snapshot.open(root / generation)


def require_tidy(root: Path) -> None:
    """Nothing is left of interrupted writers."""
    assert {entry.name for entry in root.iterdir()} == {"CURRENT", "lock", "history.jsonl", *generations(root)}
    assert len(generations(root)) <= 3
    assert current_generation(root) == generations(root)[-1]
