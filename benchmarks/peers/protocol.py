"""The tasks of every side of the comparison and the form of its report. Only the standard library: it runs anywhere.

    python with_NAME.py write|ask MODEL_FOLDER ARTICLES_FOLDER STORE QUESTIONS_FILE

`write` ingests, ingests again and ingests one changed article; `ask` is a process of its own, so that its first answer
is a cold start. Each prints one JSON document. STARTED in the environment is when the process was started
(`time.time()`).
"""

from __future__ import annotations

import json
import os
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Articles = dict[str, str]  # text by id

CHANGE = "\n\nA canary release of the billing worker is watched for forty minutes.\n"


def read(folder: Path) -> Articles:
    paths = sorted(folder.rglob("*.md"))
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8", errors="replace") for path in paths}


def changed(articles: Articles) -> Articles:
    """The first article, with a sentence more."""
    article, text = next(iter(articles.items()))
    return {article: text + CHANGE}


def ask_all(answer: Callable[[str], object], questions: Sequence[str]) -> list[float]:
    """Seconds of each question."""
    seconds = []
    for question in questions:
        started = time.perf_counter()
        answer(question)
        seconds.append(time.perf_counter() - started)
    return seconds


def measured(arguments: Sequence[str], actions: Mapping[str, Callable[..., Any]]) -> None:
    """Do what `arguments` name with `actions` (ingest, again, one, ask) and print what it took."""
    started = float(os.environ["STARTED"])
    name, model, folder, store, questions = arguments
    if name == "ask":
        seconds = actions["ask"](model, Path(questions).read_text(encoding="utf-8").splitlines(), store)
        print(json.dumps({"questions": seconds, "first": time.time() - started - sum(seconds[1:])}))
        return
    articles, cpu = read(Path(folder)), 0.0
    done = {}
    for action in ("ingest", "again", "one"):
        chunks = actions[action](model, articles, store)
        run = {"seconds": time.time() - started, "cpu": time.process_time() - cpu, "peak": _peak()}
        done[action] = {"chunks": chunks, "run": run}
        started, cpu = time.time(), time.process_time()
    print(json.dumps(done))


def _peak() -> float:
    """Of resident memory, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
