"""Fits the confidence: `python -m benchmarks.fit_evidence [--index DIR] [--set SET_DIR INDEX]…`.

A logistic regression over the figures of `qa.reading.evidence`, on several knowledge bases at once: the bundled one
and every `--set` (an evaluation set whose index `footnote evaluate SET_DIR --index INDEX` has left). Each has equal
weight.

Answerable: `data/development.jsonl`, `data/quotations.jsonl`, every fourth tag of the KB typed as a question, and the
answerable queries of the sets. Unanswerable: `data/development_unanswerable.jsonl` (of every knowledge base),
`data/keywords_unanswerable.jsonl` (of the KB), the unanswerable queries of a set, and the first turns of the
conversations of other sets. Reported on knowledge bases left out of the fit, on held-out folds, and on questions that
nothing was ever fitted on: `tests/quality/`, `data/held_out/`, `data/blind/` and the other tags.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from benchmarks.evidence_signals import SIGNALS, TracedQuestion
from indexes.settings import IndexSettings
from qa.answering import Answerer
from qa.composition import build_answering
from qa.evaluation.metrics import auroc
from qa.evaluation.sets import EvaluationSet, Query
from qa.reading.evidence import Evidence
from qa.reading.reading import ENOUGH
from qa.types import Question

HERE = Path(__file__).parent
DATA, QUALITY = HERE / "data", HERE.parent / "tests" / "quality"
FIGURES = [field.name for field in fields(Evidence)]
_SOFTNESS = 10  # inverse strength of the ridge penalty; 1 to 100 gave the same AUROC within 0.01
Matrix: TypeAlias = npt.NDArray[np.float64]  # (questions, figures of the evidence and then the other signals)
Vector: TypeAlias = npt.NDArray[np.float64]  # (questions,)


@dataclass(frozen=True, slots=True)
class Corpus:
    """A knowledge base with questions it answers (`yes`) and does not.

    `unanswerable` are its own, `common` those that no knowledge base answers, `borrowed` the first turns of
    conversations by the set they come from.
    """

    name: str
    yes: Matrix
    unanswerable: Matrix
    common: Matrix
    borrowed: Mapping[str, Matrix]

    def no(self, without: str = "") -> Matrix:
        return np.vstack(
            [self.unanswerable, self.common, *(part for name, part in self.borrowed.items() if name != without)]
        )

    def values(self, without: str = "") -> Matrix:
        return np.vstack([self.yes, self.no(without)])

    def truth(self, without: str = "") -> Vector:
        return np.array([1.0] * len(self.yes) + [0.0] * len(self.no(without)))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def asked(*paths: Path) -> list[Question]:
    return [Question(entry["question"]) for path in paths for entry in lines(path)]


def figures(answerer: Answerer, questions: Sequence[Question]) -> Matrix:
    rows = []
    for question in questions:
        trace = answerer.trace(question)
        traced = TracedQuestion(question, trace, answerer.corpus())
        rows.append([*trace.reading.signals.values(), *(signal(traced) for signal in SIGNALS.values())])
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(FIGURES) + len(SIGNALS))


def fit(corpora: Sequence[Corpus], columns: Sequence[int], without: str = "") -> LogisticRegression:
    """`without` names a set of which no question may be used."""
    values = [corpus.values(without)[:, columns] for corpus in corpora]
    weights = np.concatenate([np.full(len(part), 300 / len(part)) for part in values])
    model = LogisticRegression(C=_SOFTNESS, max_iter=5_000)
    return model.fit(np.vstack(values), np.concatenate([c.truth(without) for c in corpora]), sample_weight=weights)


def area(model: LogisticRegression, yes: Matrix, no: Matrix, columns: Sequence[int]) -> float | None:
    if not len(yes) or not len(no):
        return None
    return auroc(*(model.predict_proba(part[:, columns])[:, 1].tolist() for part in (yes, no)))


def left_out(corpora: Sequence[Corpus], columns: Sequence[int]) -> list[float | None]:
    """For each corpus, fitted on the others alone: the AUROC against all its unanswerable questions, and its own."""
    areas = []
    for corpus in corpora:
        model = fit([other for other in corpora if other is not corpus] or corpora, columns, without=corpus.name)
        areas += [area(model, corpus.yes, part, columns) for part in (corpus.no(), corpus.unanswerable)]
    return areas


def compare_signals(corpora: Sequence[Corpus]) -> None:
    """Every figure left out and every other signal added, on knowledge bases left out of the fit."""
    inside = list(range(len(FIGURES)))
    names = [*FIGURES, *SIGNALS]
    ways: dict[str, list[int]] = {"in use": inside}
    ways |= {f"without {FIGURES[c]}": [other for other in inside if other != c] for c in inside}
    ways |= {f"with {names[c]}": [*inside, c] for c in range(len(inside), len(names))}
    print("| figures | " + " | ".join(f"{c.name}, all | {c.name}, own" for c in corpora) + " |")
    print("|---|" + "---|---|" * len(corpora))
    for name, columns in ways.items():
        cells = " | ".join(_figure(value) for value in left_out(corpora, columns))
        print(f"| {name} | {cells} |")


def folds(corpora: Sequence[Corpus]) -> Vector:
    """Held-out probabilities of the first corpus in ten folds; the others are in every fit."""
    kb, others = corpora[0], list(corpora[1:])
    inside = list(range(len(FIGURES)))
    values, truth = kb.values(), kb.truth()
    held_out = np.zeros(len(truth))
    for train, test in StratifiedKFold(10, shuffle=True, random_state=0).split(values, truth):
        yes, no = (values[train][truth[train] == kind] for kind in (1, 0))
        part = replace(kb, yes=yes, unanswerable=no, common=no[:0], borrowed={})
        held_out[test] = fit([part, *others], inside).predict_proba(values[test][:, inside])[:, 1]
    return held_out


def reliability(truth: Vector, probability: Vector, right: Vector) -> None:
    """`right`: 1 where the answer cites an article that answers, 0 where not, NaN where no article is judged right."""
    print("\n| confidence | questions | mean confidence | answerable | of those, a right article is cited |")
    print("|---|---|---|---|---|")
    for low, high in ((0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 0.95), (0.95, 1.01)):
        inside = (probability >= low) & (probability < high)
        if inside.any():
            judged = right[inside][~np.isnan(right[inside])]
            cited = f"{judged.mean():.0%} of {len(judged)}" if low >= ENOUGH and len(judged) else ""
            shares = f"{probability[inside].mean():.2f} | {truth[inside].mean():.0%} | {cited}"
            print(f"| {low:.2f}–{min(high, 1):.2f} | {inside.sum()} | {shares} |")


def cites_right(answerer: Answerer, entries: Sequence[Mapping[str, Any]]) -> list[float]:
    shares = []
    for entry in entries:
        cited = {citation.article_id for citation in answerer.ask(Question(entry["question"])).citations}
        shares.append(float(bool(cited & {entry["article"], *entry.get("also", [])})) if cited else float("nan"))
    return shares


def report(name: str, model: LogisticRegression, yes: Matrix, no: Mapping[str, Matrix]) -> None:
    """One row of a Markdown table: the AUROC, and what is answered and declined."""
    inside = list(range(len(FIGURES)))
    answers = model.predict_proba(yes[:, inside])[:, 1] >= ENOUGH
    declines = {kind: model.predict_proba(part[:, inside])[:, 1] < ENOUGH for kind, part in no.items()}
    every = np.concatenate(list(declines.values()))
    kinds = ", ".join(f"{kind} {part.mean():.0%} of {len(part)}" for kind, part in declines.items())
    whole = area(model, yes, np.vstack(list(no.values())), inside)
    print(f"| {name} | {_figure(whole)} | {answers.mean():.0%} of {len(answers)} | {every.mean():.0%} ({kinds}) |")


def by_kind(answerer: Answerer, path: Path) -> dict[str, Matrix]:
    kinds: dict[str, list[Question]] = {}
    for entry in lines(path):
        kinds.setdefault(entry["kind"], []).append(Question(entry["question"]))
    return {kind: figures(answerer, questions) for kind, questions in kinds.items()}


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def bundled(answerer: Answerer, first_turns: Mapping[str, Sequence[Question]]) -> Corpus:
    tags = sorted(answerer.corpus().articles.tags())
    yes = [*asked(DATA / "development.jsonl", DATA / "quotations.jsonl"), *(Question(tag) for tag in tags[::4])]
    own, keywords = asked(DATA / "development_unanswerable.jsonl"), asked(DATA / "keywords_unanswerable.jsonl")
    borrowed = {name: figures(answerer, turns) for name, turns in first_turns.items()}
    return Corpus("KB", figures(answerer, yes), figures(answerer, own), figures(answerer, keywords), borrowed)


def judged(
    name: str, queries: Sequence[Query], answerer: Answerer, first_turns: Mapping[str, Sequence[Question]]
) -> Corpus:
    yes, own = (
        figures(answerer, [Question(q.text, history=q.history) for q in queries if q.answerable is kind])
        for kind in (True, False)
    )
    common = figures(answerer, asked(DATA / "development_unanswerable.jsonl"))
    borrowed = {other: figures(answerer, turns) for other, turns in first_turns.items() if other != name}
    return Corpus(name, yes, own, common, borrowed)


def main() -> None:
    settings = IndexSettings()
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--index", type=Path, default=settings.index)
    arguments.add_argument("--set", type=Path, nargs=2, action="append", default=[], metavar=("SET_DIR", "INDEX"))
    args = arguments.parse_args()

    def answering(index: Path) -> Answerer:
        return build_answering(settings.at(index)).answerer

    sets = {folder.name: (EvaluationSet.open(folder).queries, answering(index)) for folder, index in args.set}
    first = {
        name: [Question(q.text) for q in queries if not q.history]
        for name, (queries, _) in sets.items()
        if any(q.history for q in queries)
    }
    kb = answering(args.index)
    corpora = [bundled(kb, first), *(judged(name, queries, own, first) for name, (queries, own) in sets.items())]
    model = fit(corpora, list(range(len(FIGURES))))
    slopes = ", ".join(f"{name} {s:.2f}" for name, s in zip(FIGURES, model.coef_[0], strict=True))
    print(f"intercept {model.intercept_[0]:.2f}, slopes: {slopes}\n")
    compare_signals(corpora)
    print("\n| questions on the KB, never fitted on | AUROC | answered of the answerable | declined of the others |")
    print("|---|---|---|---|")
    quality = figures(kb, asked(QUALITY / "questions.jsonl", QUALITY / "answerable.jsonl"))
    report("tests/quality", model, quality, by_kind(kb, QUALITY / "unanswerable.jsonl"))
    for name in ("held_out", "blind"):
        yes, no = (DATA / name / f"{kind}.jsonl" for kind in ("answerable", "unanswerable"))
        report(f"data/{name}", model, figures(kb, asked(yes)), by_kind(kb, no))
    tags = sorted(kb.corpus().articles.tags())
    others = figures(kb, [Question(tag) for number, tag in enumerate(tags) if number % 4])
    answered = model.predict_proba(others[:, : len(FIGURES)])[:, 1] >= ENOUGH
    print(f"\nTags typed as questions that were not fitted on: {answered.mean():.0%} of {len(answered)} answered")
    known = cites_right(kb, [*lines(DATA / "development.jsonl"), *lines(DATA / "quotations.jsonl")])
    truth = corpora[0].truth()
    right = np.array([*known, *[np.nan] * (len(truth) - len(known))])
    reliability(truth, folds(corpora), right)


if __name__ == "__main__":
    main()
