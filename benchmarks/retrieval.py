"""Compares ways to rank: `python -m benchmarks.retrieval SET_DIR --index DIR` (or `--questions FILE` for the KB).

`SET_DIR` is an evaluation set whose index `footnote evaluate SET_DIR --index DIR` has left in DIR. Every way is scored
on the same queries; differences to the way in use come with a paired 95 % confidence interval.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from indexes.models.embedding import load_embedder
from indexes.search.analysis import informative_terms, terms
from indexes.settings import IndexSettings
from indexes.snapshots.publishing import open_current
from indexes.snapshots.snapshot import Snapshot
from indexes.types import Filter, Hit
from qa.answering import QuestionRewriter
from qa.evaluation import metrics
from qa.evaluation.sets import EvaluationSet, Judgements, Query, documents, scores
from qa.question.follow_ups import HistoryRewriter
from qa.retrieval import DEPTH, QuestionEmbedder, Retriever, Weights
from qa.types import Probe, Question, Standalone, Turn

Way: TypeAlias = Callable[[Query], Sequence[Hit]]
_SHOWN = ("ndcg@10", "recall@10", "mrr@10")
_HEADER = "| way | nDCG@10 | R@10 | MRR@10 | nDCG@10 against the first |"
_RRF_K = 60  # Cormack, Clarke and Büttcher (SIGIR 2009)


def fused(
    snapshot: Snapshot,
    embedder: QuestionEmbedder,
    weights: Weights = Weights(),
    rewriter: QuestionRewriter = HistoryRewriter(),
) -> Way:
    """The way in use, with other weights or another rewriter."""
    retriever = Retriever(embedder, weights)

    def way(query: Query) -> Sequence[Hit]:
        question = rewriter.standalone(Question(query.text, history=query.history))
        return retriever.retrieve(snapshot, question, Filter(), 1).ranking

    return way


def ways(snapshot: Snapshot, embedder: QuestionEmbedder) -> Mapping[str, Way]:
    """Ways to join the two rankings, the one in use first."""

    def keywords(query: Query) -> list[Hit]:
        asked = informative_terms(query.text) or terms(query.text)
        return snapshot.keywords.search(dict.fromkeys(asked, 1.0), DEPTH)

    def vectors(query: Query) -> list[Hit]:
        return snapshot.vectors.search(embedder.embed_question(query.text)[0], DEPTH)

    def weighted(weights: Weights) -> Way:
        return fused(snapshot, embedder, weights)

    return {
        "in use": weighted(Weights()),
        "keywords alone (BM25)": keywords,
        "vectors alone": vectors,
        "reciprocal rank fusion, k = 60": lambda query: reciprocal_ranks(keywords(query), vectors(query)),
        "scores fused, nothing else": weighted(Weights(neighbours=0, whole_article=0, support=0)),
        "no neighbours": weighted(Weights(neighbours=0)),
        "neighbours 1.0": weighted(Weights(neighbours=1.0)),
        "no whole article": weighted(Weights(whole_article=0)),
        "whole article 0.4": weighted(Weights(whole_article=0.4)),
        "no support": weighted(Weights(support=0)),
        "support 0.4": weighted(Weights(support=0.4)),
        "keyword share 0.3": weighted(Weights(keyword_share=0.3)),
        "keyword share 0.4": weighted(Weights(keyword_share=0.4)),
        "keyword share 0.6": weighted(Weights(keyword_share=0.6)),
        "50 candidates of each index": weighted(Weights(depth=50)),
        "400 candidates of each index": weighted(Weights(depth=400)),
    }


class LastTurn:
    def standalone(self, question: Question) -> Standalone:
        return Standalone(question.text, (Probe(question.text, 1.0),))


class AllTurns:
    """What all user turns say, in one."""

    def standalone(self, question: Question) -> Standalone:
        text = " ".join([*(turn.text for turn in question.history if turn.role == "user"), question.text])
        return Standalone(text, (Probe(text, 1.0),))


def follow_ups(snapshot: Snapshot, embedder: QuestionEmbedder, rewrites: Mapping[str, str]) -> Mapping[str, Way]:
    """What a follow-up takes from its history, the way in use first. `rewrites`: stand-alone ones by query id."""

    def rewritten(rewriter: QuestionRewriter) -> Way:
        return fused(snapshot, embedder, rewriter=rewriter)

    def by_hand(query: Query) -> Sequence[Hit]:
        return rewritten(LastTurn())(replace(query, text=rewrites.get(query.id) or query.text))

    return {
        "in use": rewritten(HistoryRewriter()),
        "last turn alone": rewritten(LastTurn()),
        "all user turns as one question": rewritten(AllTurns()),
        "last turn and user turns, without the answer": rewritten(HistoryRewriter(answer_weight=0.0)),
        "user turns at 0.25": rewritten(HistoryRewriter(history_weight=0.25)),
        "user turns at 1.0": rewritten(HistoryRewriter(history_weight=1.0)),
        "last answer at 0.25": rewritten(HistoryRewriter(answer_weight=0.25)),
        "last answer at 1.0": rewritten(HistoryRewriter(answer_weight=1.0)),
        "the set's stand-alone rewrites": by_hand,
    }


def reciprocal_ranks(*rankings: Sequence[Hit]) -> list[Hit]:
    """Reciprocal rank fusion, the usual way to join rankings."""
    fused: dict[int, float] = {}
    for hits in rankings:
        for rank, hit in enumerate(hits, start=1):
            fused[hit.chunk] = fused.get(hit.chunk, 0.0) + 1 / (_RRF_K + rank)
    return sorted((Hit(chunk, score) for chunk, score in fused.items()), key=lambda hit: -hit.score)


def questions(path: Path) -> tuple[list[Query], Judgements]:
    """Questions on the bundled KB, each with the article that answers it."""
    entries = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    answerable = [entry for entry in entries if entry["article"]]
    queries = [
        Query(
            e["id"],
            e.get("question") or e["text"],
            tuple(Turn(**turn) for turn in e.get("history", ())),
            None,
            e.get("rewrite", ""),
        )
        for e in answerable
    ]
    return queries, {e["id"]: dict.fromkeys([e["article"], *e.get("also", [])], 1) for e in answerable}


def main() -> None:
    settings = IndexSettings()
    arguments = argparse.ArgumentParser(description=__doc__)
    source = arguments.add_mutually_exclusive_group(required=True)
    source.add_argument("set", nargs="?", type=Path)
    source.add_argument("--questions", type=Path)
    arguments.add_argument("--index", type=Path, default=settings.index)
    args = arguments.parse_args()
    if args.questions:
        queries, judgements = questions(args.questions)
    else:
        judged = EvaluationSet.open(args.set)
        queries, judgements = [q for q in judged.queries if judged.judgements.get(q.id)], judged.judgements
    snapshot = open_current(args.index)
    embedder = load_embedder(settings.model, settings.models, settings.precision, settings.adapter)
    print(compared(ways(snapshot, embedder), snapshot, queries, judgements))
    later = [query for query in queries if query.history]
    if later:
        rewrites = {query.id: query.rewrite for query in later}
        print("\nTurns with a history:\n")
        print(compared(follow_ups(snapshot, embedder, rewrites), snapshot, later, judgements))


def compared(ways: Mapping[str, Way], snapshot: Snapshot, queries: Sequence[Query], judgements: Judgements) -> Table:
    table = Table(queries, judgements)
    for name, way in ways.items():
        table.add(name, snapshot, [way(query) for query in queries])
    return table


class Table:
    """Ways over the same queries, the first of them the one in use; as a Markdown table."""

    def __init__(self, queries: Sequence[Query], judgements: Judgements) -> None:
        self._queries = queries
        self._judgements = judgements
        self._rows: dict[str, dict[str, list[float]]] = {}

    def add(self, name: str, snapshot: Snapshot, rankings: Sequence[Sequence[Hit]]) -> None:
        """Adds a way with its hits for each query in `snapshot`."""
        by_query = {query.id: documents(snapshot, hits) for query, hits in zip(self._queries, rankings, strict=True)}
        self._rows[name] = {metric: scores(metric, by_query, self._judgements) for metric in _SHOWN}

    def __str__(self) -> str:
        in_use = next(iter(self._rows.values()))["ndcg@10"]
        lines = [f"{len(in_use)} queries", "", _HEADER, "|---|---|---|---|---|"]
        for number, (name, values) in enumerate(self._rows.items()):
            shown = " | ".join(f"{metrics.mean(v):.3f}" for v in values.values())
            change = metrics.paired_bootstrap(in_use, values["ndcg@10"])
            against = f"{change.difference:+.3f} ({change.low:+.3f} to {change.high:+.3f})" if number else ""
            lines.append(f"| {name} | {shown} | {against} |")
        return "\n".join(lines)


if __name__ == "__main__":
    main()
