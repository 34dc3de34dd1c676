"""Compares answers before and after a change: `python -m benchmarks.answers --index DIR --out FILE [--compare FILE]`.

Asks every question of `benchmarks/data` and `tests/quality`, conversations with their history, and writes each answer,
all its passages, offsets and scores, as a line of JSON without fields that differ every time. `--compare` lists those
that differ from another run; scores that agree to five digits are equal.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from indexes.settings import IndexSettings
from qa.answering import Answerer
from qa.composition import build_answering
from qa.types import Answer, Question, Turn

_ROOT = Path(__file__).parent.parent
_VARYING_FIELDS = ("answer_id", "generation", "took_ms")
_PRECISION = 1e-5  # relative, of a score


def questions(files: Sequence[Path]) -> Iterator[tuple[str, Question]]:
    """(file and line, question) of every line that holds one."""
    for file in files:
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            fields = json.loads(line)
            history = tuple(Turn(turn["role"], turn["text"]) for turn in fields.get("history", ()))
            yield f"{file.stem}:{number}", Question(fields.get("question") or fields["text"], history=history)


def document(answer: Answer) -> dict[str, Any]:
    """What an answer says and rests on."""
    whole = {name: value for name, value in asdict(answer).items() if name not in _VARYING_FIELDS}
    for passage in whole["passages"]:
        passage["article"] = passage["article"]["id"]
    shown: dict[str, Any] = json.loads(json.dumps(whole))
    return shown


def answers(answerer: Answerer, files: Sequence[Path]) -> dict[str, Any]:
    return {key: document(answerer.ask(question)) for key, question in questions(files)}


def differences(now: dict[str, Any], before: dict[str, Any]) -> Iterator[str]:
    """A line for each answer that differs, with the names of the fields that do."""
    for key in sorted(now.keys() | before.keys()):
        one, other = now.get(key, {}), before.get(key, {})
        differing = [name for name in one | other if not same(one.get(name), other.get(name))]
        if differing:
            yield f"{key}: {', '.join(differing)}"


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal; numbers up to rounding, as sums may be added in another order."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=_PRECISION)
    return bool(one == other)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--index", type=Path, default=IndexSettings().index)
    arguments.add_argument("--questions", type=Path, nargs="*", help="other files of questions")
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("--compare", type=Path)
    args = arguments.parse_args()
    files = args.questions or sorted([*_ROOT.glob("benchmarks/data/**/*.jsonl"), *_ROOT.glob("tests/quality/*.jsonl")])
    answerer = build_answering(IndexSettings().at(args.index)).answerer
    started = time.process_time()
    now = answers(answerer, files)
    spent = 1000 * (time.process_time() - started) / len(now)
    args.out.write_text(json.dumps(now, indent=1, ensure_ascii=False, sort_keys=True), encoding="utf-8")
    print(f"{len(now)} answers, {spent:.1f} CPU ms each")
    if args.compare:
        lines = list(differences(now, json.loads(args.compare.read_text(encoding="utf-8"))))
        print("\n".join([*lines, f"{len(lines)} answers differ"]))


if __name__ == "__main__":
    main()
