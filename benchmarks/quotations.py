"""How often the extractive writer quotes what a person chose: `python -m benchmarks.quotations [--index DIR]`.

`data/quotations.jsonl` holds 80 questions on the bundled KB with one to three acceptable quotations each, chosen by
reading the articles. Odd lines are for development, even lines are held out.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexes.settings import IndexSettings
from qa.answering import Answerer
from qa.commands import build_answerer, open_retrieval
from qa.links import Links
from qa.types import Question

DATA = Path(__file__).parent / "data" / "quotations.jsonl"


@dataclass(frozen=True, slots=True)
class Score:
    """Shares of the questions: answered; the first quotation is one of the chosen; any quotation is."""

    questions: int
    answered: float
    first: float
    anywhere: float


def score(answerer: Answerer, entries: Sequence[dict[str, Any]]) -> Score:
    answers = [(entry, answerer.ask(Question(entry["question"]))) for entry in entries]
    first = anywhere = 0
    for entry, answer in answers:
        quoted = [citation.quote for citation in answer.citations]
        anywhere += any(best in quote for quote in quoted for best in entry["best"])
        first += bool(quoted) and any(best in quoted[0] for best in entry["best"])
    total = len(entries)
    return Score(total, sum(a.answered for _, a in answers) / total, first / total, anywhere / total)


def main() -> None:
    settings = IndexSettings()
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--index", type=Path, default=settings.index)
    answerer = build_answerer(*open_retrieval(arguments.parse_args().index, settings), Links())
    entries = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]
    print("| questions | answered | first citation is a chosen one | a chosen one is cited |\n|---|---|---|---|")
    for name, part in (("development", entries[::2]), ("held out", entries[1::2])):
        result = score(answerer, part)
        print(f"| {result.questions} {name} | {result.answered:.0%} | {result.first:.0%} | {result.anywhere:.0%} |")


if __name__ == "__main__":
    main()
