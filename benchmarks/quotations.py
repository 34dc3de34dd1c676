"""Measures how often an answer quotes what a person chose: `python -m benchmarks.quotations [--index DIR]`.

Questions on the bundled KB with acceptable quotations each, chosen by reading the articles: half of
`data/quotations.jsonl` and of the parts in `data/parts.jsonl` is for development; the other halves, `data/held_out/`
and `data/blind/` are not. `data/parts.jsonl` also says which part of a question the KB does not answer.
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
from qa.composition import build_answering
from qa.question.parts import parts_of
from qa.types import Question

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Score:
    """Shares of the questions: answered; the first citation is one of the chosen; any citation is."""

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


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


@dataclass(slots=True)
class Parts:
    """How the parts of questions that have several were treated."""

    told_apart: int = 0  # questions whose parts were found
    several: int = 0
    left_whole: int = 0  # questions with an "and" that ask one thing, left whole
    single: int = 0
    cited: int = 0  # parts with an answer, of which a right article is cited
    answerable: int = 0
    said_missing: int = 0  # parts without an answer, said to be missing or declined with the whole question
    unanswerable: int = 0
    wrongly_missing: int = 0  # parts with an answer, said to be missing

    def add(self, answerer: Answerer, entry: dict[str, Any]) -> None:
        expected = entry["parts"]
        parts = parts_of(entry["question"])
        if len(expected) == 1:
            self.single += 1
            self.left_whole += len(parts) == 1
            return
        self.several += 1
        self.told_apart += len(parts) == len(expected)
        answer = answerer.ask(Question(entry["question"]))
        cited = {citation.article_id for citation in answer.citations}
        notes = [note for note in answer.missing if note.endswith("?")]
        missing = [part for part in expected if not part["article"]]
        for part in expected:
            if part["article"]:
                self.answerable += 1
                self.cited += bool(cited & {part["article"], *part["also"]})
        self.unanswerable += len(missing)
        self.said_missing += len(missing) if not answer.answered else min(len(missing), len(notes))
        self.wrongly_missing += max(0, len(notes) - len(missing))

    def __str__(self) -> str:
        return "\n".join(
            [
                "| what | share |",
                "|---|---|",
                f"| questions with several parts, told apart | {self.told_apart} of {self.several} |",
                f"| questions with an “and” that ask one thing, left whole | {self.left_whole} of {self.single} |",
                f"| parts with an answer: a right article is cited | {self.cited} of {self.answerable} |",
                f"| parts without an answer: said to be missing | {self.said_missing} of {self.unanswerable} |",
                f"| parts with an answer: wrongly said to be missing | {self.wrongly_missing} of {self.answerable} |",
            ]
        )


def main() -> None:
    settings = IndexSettings()
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--index", type=Path, default=settings.index)
    answerer = build_answering(settings.at(arguments.parse_args().index)).answerer
    single = lines("quotations.jsonl")
    several = lines("parts.jsonl")
    chosen = [{"question": p["text"], "best": p["best"]} for entry in several for p in entry["parts"] if p["best"]]
    sets = {
        "development, single questions": single[::2],
        "development, parts": chosen[::2],
        "the other half, single questions": single[1::2],
        "the other half, parts": chosen[1::2],
        "held out": lines("held_out/answerable.jsonl"),
        "blind": lines("blind/answerable.jsonl"),
    }
    print("| questions | answered | first citation is a chosen one | a chosen one is cited |\n|---|---|---|---|")
    for name, entries in sets.items():
        result = score(answerer, entries)
        shares = f"{result.answered:.0%} | {result.first:.0%} | {result.anywhere:.0%}"
        print(f"| {result.questions} {name} | {shares} |")
    counted = Parts()
    for entry in several:
        counted.add(answerer, entry)
    print(f"\n{counted}")


if __name__ == "__main__":
    main()
