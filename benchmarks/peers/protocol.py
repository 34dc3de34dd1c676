"""What every side of the comparison is asked to do, and how it reports. Standard library alone: it runs anywhere.

    python with_NAME.py ingest|again|one|ask MODEL_FOLDER ARTICLES_FOLDER STORE QUESTIONS_FILE

prints one JSON document: chunks written, and for `ask` the seconds of each question and those until the first answer.
"""

from __future__ import annotations

import json
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


def measured(arguments: Sequence[str], actions: Mapping[str, Callable[..., Any]], started: float) -> None:
    """Do the action that `arguments` name and print what it gives."""
    name, model, folder, store, questions = arguments
    if name == "ask":
        seconds = actions[name](model, Path(questions).read_text(encoding="utf-8").splitlines(), store)
        first = time.perf_counter() - started - sum(seconds[1:])
        print(json.dumps({"questions": seconds, "first": first}))
    else:
        print(json.dumps({"chunks": actions[name](model, read(Path(folder)), store)}))
