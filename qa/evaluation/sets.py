"""Runs a set of judged questions through the code that answers users, and measures the result."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from indexes.types import Hit
from qa.answering import Answerer, Trace
from qa.corpus import Corpus
from qa.errors import SetError
from qa.evaluation import metrics
from qa.evaluation.metrics import Difference
from qa.types import Question, Turn

RUN_DEPTH = 100  # documents a query in a run file
_DEPTHS = (1, 3, 5, 30)  # passages

Judgements: TypeAlias = Mapping[str, Mapping[str, int]]  # query id → document id → gain
DocumentRanking: TypeAlias = Sequence[tuple[str, float]]  # (document id, score), best first


@dataclass(frozen=True, slots=True)
class Query:
    id: str
    text: str
    history: tuple[Turn, ...]
    answerable: bool | None
    rewrite: str
    words: tuple[str, ...] = ()  # of the corpus, verbatim: those that answer, where somebody has looked


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """The `queries.jsonl` and `qrels.tsv` of a folder, and what they are asked of."""

    corpus: Path
    queries: tuple[Query, ...]
    judgements: Judgements

    @classmethod
    def open(cls, folder: Path, corpus: Path | None = None) -> EvaluationSet:
        """`corpus`: any source, in place of the folder's `corpus.jsonl`.

        Raises SetError naming the file and line that cannot be used.
        """
        corpus = corpus or folder / "corpus.jsonl"
        if not corpus.exists():
            raise SetError(
                f"There is no {corpus}: an evaluation set has corpus.jsonl, queries.jsonl, qrels.tsv; --corpus SOURCE "
                "names another source."
            )
        judgements = _read_judgements(folder / "qrels.tsv")
        return cls(corpus, tuple(_read_queries(folder / "queries.jsonl")), judgements)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The ranking and answer of one query."""

    query: Query
    ranking: DocumentRanking
    answered: bool
    confidence: float
    took_ms: float
    spent: Mapping[str, float]  # milliseconds by stage
    passages: Sequence[str]  # as they were read, best first
    excerpts: Sequence[str]  # that were shown: quoted in the answer, or closest


def run(
    answerer: Answerer, corpus: Corpus, queries: Sequence[Query], *, rewrites: bool, done: Callable[[int], None]
) -> list[Outcome]:
    """Ask every query; with `rewrites`, its stand-alone rewrite instead of its history."""
    outcomes = []
    for number, query in enumerate(queries, start=1):
        question = (
            Question(query.rewrite) if rewrites and query.rewrite else Question(query.text, history=query.history)
        )
        outcomes.append(_outcome(query, answerer.trace(question), corpus))
        done(number)
    return outcomes


def summary(outcomes: Sequence[Outcome], judgements: Judgements) -> dict[str, Any]:
    """The figures of a run. Queries without a judgement count for abstention and latency only."""
    judged = [outcome for outcome in outcomes if judgements.get(outcome.query.id)]
    figures: dict[str, Any] = {"queries": len(outcomes), "judged": len(judged)}
    for name in metrics.RANKING:
        figures[name] = round(metrics.mean(scores(name, {o.query.id: o.ranking for o in judged}, judgements)), 4)
    took = [outcome.took_ms for outcome in outcomes]
    return {
        **figures,
        "answerable": _abstention(outcomes),
        "words": _words([outcome for outcome in outcomes if outcome.query.words]),
        "latency_ms": {**_percentiles(took), "stages": _stages(outcomes)},
    }


def _stages(outcomes: Sequence[Outcome]) -> dict[str, dict[str, float]]:
    """p50 and p95 of each stage over all queries; a stage that a query skipped counts as 0 ms."""
    names = dict.fromkeys(name for outcome in outcomes for name in outcome.spent)
    return {name: _percentiles([outcome.spent.get(name, 0.0) for outcome in outcomes]) for name in names}


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    return {"p50": round(metrics.percentile(values, 0.5), 2), "p95": round(metrics.percentile(values, 0.95), 2)}


def scores(metric: str, rankings: Mapping[str, DocumentRanking], judgements: Judgements) -> list[float]:
    """A ranking metric for each judged query of `rankings`, in the order of their ids."""
    compute, depth = metrics.RANKING[metric]
    shared = sorted(id for id in rankings if judgements.get(id))
    return [compute([document for document, _ in rankings[id]], judgements[id], depth) for id in shared]


def compare(
    first: Mapping[str, DocumentRanking], second: Mapping[str, DocumentRanking], judgements: Judgements
) -> dict[str, Difference]:
    """Each metric of two runs over the queries they share, with paired confidence intervals."""
    shared = first.keys() & second.keys()
    one, other = ({id: run[id] for id in shared} for run in (first, second))
    return {
        name: metrics.paired_bootstrap(scores(name, one, judgements), scores(name, other, judgements))
        for name in metrics.RANKING
    }


def write_run(path: Path, outcomes: Iterable[Outcome]) -> None:
    """`query-id<TAB>doc-id<TAB>rank<TAB>score`, to depth 100."""
    with path.open("w", encoding="utf-8") as file:
        for outcome in outcomes:
            for rank, (document, score) in enumerate(outcome.ranking[:RUN_DEPTH], start=1):
                file.write(f"{outcome.query.id}\t{document}\t{rank}\t{score:.6f}\n")


def read_run(path: Path) -> Mapping[str, DocumentRanking]:
    """Raises SetError if the file is no run."""
    rankings: dict[str, list[tuple[str, float]]] = {}
    for number, row in enumerate(_rows(path), start=1):
        try:
            query, document, _, score = row
            rankings.setdefault(query, []).append((document, float(score)))
        except ValueError as error:
            raise SetError(f"{path}:{number} is not `query-id<TAB>doc-id<TAB>rank<TAB>score`.") from error
    return rankings


def _outcome(query: Query, trace: Trace, corpus: Corpus) -> Outcome:
    ranking = documents(corpus, trace.ranking)
    answer = trace.answer
    passages = [read.passage.text for read in trace.reading.passages]
    excerpts = [citation.quote for citation in answer.citations or answer.closest]
    return Outcome(query, ranking, answer.answered, answer.confidence, answer.took_ms, trace.spent, passages, excerpts)


def documents(corpus: Corpus, hits: Sequence[Hit]) -> list[tuple[str, float]]:
    """Documents with the score of their best chunk, best first."""
    owners = corpus.owners([hit.chunk for hit in hits])
    best: dict[str, float] = {}
    for owner, hit in zip(owners, hits, strict=True):
        best.setdefault(owner, hit.score)
    return list(best.items())


def _abstention(outcomes: Sequence[Outcome]) -> dict[str, float | None]:
    answerable = [o for o in outcomes if o.query.answerable is True]
    unanswerable = [o for o in outcomes if o.query.answerable is False]
    separation = metrics.auroc([o.confidence for o in answerable], [o.confidence for o in unanswerable])
    return {
        "auroc": None if separation is None else round(separation, 4),
        "answered_share_of_answerable": _share(o.answered for o in answerable),
        "declined_share_of_unanswerable": _share(not o.answered for o in unanswerable),
    }


def _words(outcomes: Sequence[Outcome]) -> dict[str, float | None]:
    """Where the words that answer stand, of the queries that have some; `needless`: how many excerpts of an answer hold
    none of them, though others may answer as well."""
    holds = metrics.holds
    figures: dict[str, float | None] = {
        f"in_passages@{depth}": _share(holds(o.passages[:depth], o.query.words) for o in outcomes) for depth in _DEPTHS
    }
    needless = [sum(not holds([e], o.query.words) for e in o.excerpts) for o in outcomes if o.answered]
    return {
        "queries": len(outcomes),
        **figures,
        "in_first_excerpt": _share(holds(o.excerpts[:1], o.query.words) for o in outcomes),
        "shown": _share(holds(o.excerpts, o.query.words) for o in outcomes),
        "needless": round(metrics.mean(needless), 4),
    }


def _share(values: Iterable[bool]) -> float | None:
    flags = list(values)
    return round(sum(flags) / len(flags), 4) if flags else None


def _read_queries(path: Path) -> Iterable[Query]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SetError(f"{path} cannot be read: {error}.") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield _query(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SetError(f"{path}:{number} is not a query with `id` and `text` ({error}).") from error


def _query(fields: dict[str, Any]) -> Query:
    history = tuple(Turn(turn["role"], turn["text"]) for turn in fields.get("history") or ())
    words = tuple(str(passage) for passage in fields.get("words") or ())
    rewrite = fields.get("rewrite") or ""
    return Query(str(fields["id"]), str(fields["text"]), history, fields.get("answerable"), rewrite, words)


def _read_judgements(path: Path) -> Judgements:
    judgements: dict[str, dict[str, int]] = {}
    for number, row in enumerate(_rows(path)[1:], start=2):  # the first line is a header
        try:
            query, document, score = row
            judgements.setdefault(query, {})[document] = int(score)
        except ValueError as error:
            raise SetError(f"{path}:{number} is not `query-id<TAB>doc-id<TAB>score`.") from error
    return judgements


def _rows(path: Path) -> list[list[str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [row for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE) if row]
    except (OSError, UnicodeDecodeError) as error:
        raise SetError(f"{path} cannot be read: {error}.") from error
