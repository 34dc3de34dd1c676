"""Fit the confidence: `python -m benchmarks.fit_evidence [--index DIR] [--elsewhere QUERIES.jsonl]`.

Fitted on `data/development.jsonl`, `data/quotations.jsonl` and every fourth tag of the KB typed as a question
(answerable), `data/development_unanswerable.jsonl` and `data/keywords_unanswerable.jsonl`, with ten held-out folds;
reported on the questions of `tests/quality/` and on the other tags, which nothing is fitted on. `--elsewhere` adds the
first turns of another knowledge base's questions as unanswerable ones.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from indexes.settings import IndexSettings
from qa.answering import Answerer
from qa.commands import build_answerer, open_retrieval
from qa.links import Links
from qa.metrics import auroc
from qa.types import Question

HERE = Path(__file__).parent
QUALITY = HERE.parent / "tests" / "quality"
Matrix = npt.NDArray[np.float64]  # (questions, figures of the evidence)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def figures(answerer: Answerer, questions: list[str]) -> Matrix:
    return np.array([astuple(answerer.trace(Question(question)).evidence) for question in questions])


def report(name: str, answerable: Matrix, unanswerable: Matrix) -> None:
    """One row of a Markdown table from probabilities."""
    area = auroc(answerable.tolist(), unanswerable.tolist())
    print(f"| {name} | {area:.3f} | {(answerable >= 0.5).mean():.0%} | {(unanswerable < 0.5).mean():.0%} |")


def reliability(truth: Matrix, probability: Matrix) -> None:
    print("\n| confidence | questions | mean confidence | answerable |\n|---|---|---|---|")
    for low, high in ((0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 0.95), (0.95, 1.01)):
        inside = (probability >= low) & (probability < high)
        if inside.any():
            share = f"{probability[inside].mean():.2f} | {truth[inside].mean():.0%}"
            print(f"| {low:.2f}–{min(high, 1):.2f} | {inside.sum()} | {share} |")


def main() -> None:
    settings = IndexSettings()
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--index", type=Path, default=settings.index)
    arguments.add_argument("--elsewhere", type=Path)
    args = arguments.parse_args()
    store, embedder = open_retrieval(args.index, settings)
    answerer = build_answerer(store, embedder, Links())
    data, tags = HERE / "data", sorted(store.current().articles.tags())
    answerable = [e["question"] for name in ("development", "quotations") for e in lines(data / f"{name}.jsonl")]
    answerable += tags[::4]
    missing = ("development_unanswerable", "keywords_unanswerable")
    unanswerable = [e["question"] for name in missing for e in lines(data / f"{name}.jsonl")]
    if args.elsewhere:
        unanswerable += [e["text"] for e in lines(args.elsewhere) if not e.get("history")]
    yes, no = figures(answerer, answerable), figures(answerer, unanswerable)
    values, truth = np.vstack([yes, no]), np.array([1.0] * len(yes) + [0.0] * len(no))
    model = LogisticRegression(C=10)
    folds = StratifiedKFold(10, shuffle=True, random_state=0)
    held_out = cross_val_predict(model, values, truth, cv=folds, method="predict_proba")[:, 1]
    model.fit(values, truth)
    print(f"intercept {model.intercept_[0]:.2f}, slopes {', '.join(f'{s:.2f}' for s in model.coef_[0])}\n")
    print("| questions | AUROC | answers of the answerable | declines of the unanswerable |\n|---|---|---|---|")
    report("development, held-out folds", held_out[truth == 1], held_out[truth == 0])
    test_yes = [e["question"] for name in ("questions", "answerable") for e in lines(QUALITY / f"{name}.jsonl")]
    test_no = [e["question"] for e in lines(QUALITY / "unanswerable.jsonl")]
    tests = [model.predict_proba(figures(answerer, questions))[:, 1] for questions in (test_yes, test_no)]
    report("tests/quality", tests[0], tests[1])
    others = model.predict_proba(figures(answerer, [tag for place, tag in enumerate(tags) if place % 4]))[:, 1]
    print(f"\nTags typed as questions that were not fitted on: {(others >= 0.5).mean():.0%} of {len(others)} answered")
    reliability(truth, held_out)


if __name__ == "__main__":
    main()
