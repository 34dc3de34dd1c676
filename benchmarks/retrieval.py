"""Ways to rank, side by side: `python -m benchmarks.retrieval SET_DIR --index DIR` (or `--questions FILE` for the KB).

`SET_DIR` is an evaluation set whose index `footnote evaluate SET_DIR --index DIR` has left in DIR. Every way is scored
on the same queries; differences to the way in use come with a paired 95 % confidence interval.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from indexes.analysis import informative_terms, terms
from indexes.embedding import load_embedder
from indexes.publishing import open_current
from indexes.settings import IndexSettings
from indexes.snapshot import Snapshot
from indexes.types import Filter, Hit
from qa import metrics
from qa.evaluation import EvaluationSet, Judgements, Query, documents, scores
from qa.retrieving import DEPTH, QuestionEmbedder, Retriever, Weights
from qa.rewriting import HistoryRewriter
from qa.types import Question

Way: TypeAlias = Callable[[Query], Sequence[Hit]]
IN_USE = "in use"
_RRF_K = 60  # Cormack, Clarke and Büttcher (SIGIR 2009)


def ways(snapshot: Snapshot, embedder: QuestionEmbedder) -> Mapping[str, Way]:
    """Every way to rank, by name."""

    def fused(weights: Weights = Weights(), rewriter: HistoryRewriter = HistoryRewriter()) -> Way:
        retriever = Retriever(embedder, weights)
        return lambda query: (
            retriever.retrieve(
                snapshot, rewriter.standalone(Question(query.text, history=query.history)), Filter(), 1
            ).ranking
        )

    def keywords(query: Query) -> list[Hit]:
        asked = informative_terms(query.text) or terms(query.text)
        return snapshot.keywords.search(dict.fromkeys(asked, 1.0), DEPTH)

    def vectors(query: Query) -> list[Hit]:
        return snapshot.vectors.search(embedder.embed_question(query.text)[0], DEPTH)

    return {
        "keywords alone (BM25)": keywords,
        "vectors alone": vectors,
        "reciprocal rank fusion, k = 60": lambda query: reciprocal_ranks(keywords(query), vectors(query)),
        "scores fused, no neighbours, no article": fused(Weights(neighbours=0, whole_article=0)),
        "scores fused, no neighbours": fused(Weights(neighbours=0)),
        "scores fused, no article": fused(Weights(whole_article=0)),
        "keyword share 0.3": fused(Weights(keyword_share=0.3)),
        "keyword share 0.7": fused(Weights(keyword_share=0.7)),
        "neighbours 1.0": fused(Weights(neighbours=1.0)),
        "last turn alone": fused(rewriter=HistoryRewriter(0.0)),
        "history weight 0.25": fused(rewriter=HistoryRewriter(0.25)),
        "history weight 1.0": fused(rewriter=HistoryRewriter(1.0)),
        IN_USE: fused(),
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
    queries = [Query(e["id"], e["question"], (), None, "") for e in entries]
    return queries, {e["id"]: dict.fromkeys([e["article"], *e.get("also", [])], 1) for e in entries}


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
    report(
        ways(snapshot, load_embedder(settings.model, settings.models, settings.precision)),
        snapshot,
        queries,
        judgements,
    )


def report(compared: Mapping[str, Way], snapshot: Snapshot, queries: Sequence[Query], judgements: Judgements) -> None:
    """A Markdown table: one row a way."""
    gained = {}
    for name, way in compared.items():
        rankings = {query.id: documents(snapshot, way(query)) for query in queries}
        gained[name] = {metric: scores(metric, rankings, judgements) for metric in ("ndcg@10", "recall@10", "mrr@10")}
    print(f"{len(queries)} queries\n")
    print("| way | nDCG@10 | R@10 | MRR@10 | nDCG@10 against the way in use |\n|---|---|---|---|---|")
    for name, values in gained.items():
        figures = " | ".join(f"{metrics.mean(v):.3f}" for v in values.values())
        change = metrics.paired_bootstrap(gained[IN_USE]["ndcg@10"], values["ndcg@10"])
        compared_to = "" if name == IN_USE else f"{change.difference:+.3f} ({change.low:+.3f} to {change.high:+.3f})"
        print(f"| {name} | {figures} | {compared_to} |")


if __name__ == "__main__":
    main()
