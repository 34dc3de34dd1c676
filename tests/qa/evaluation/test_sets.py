"""A judged set through the real road: figures, runs and comparisons."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from qa.answering import Answerer, Trace
from qa.errors import SetError
from qa.evaluation.sets import EvaluationSet, compare, read_run, run, summary, write_run
from qa.types import Answer, Question
from tests.conftest import Site
from tests.scripted import closest_answer

QUERIES = [
    {"id": "q1", "text": "How long does an access token live?", "answerable": True},
    {"id": "q2", "text": "What is the capital of Mongolia?", "answerable": False},
    {
        "id": "q3",
        "text": "and to roll back?",
        "answerable": True,
        "rewrite": "How do I roll back a deployment?",
        "history": [{"role": "user", "text": "How do I deploy the service?"}, {"role": "assistant", "text": "…"}],
    },
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "corpus.jsonl").write_text('{"id": "a", "title": "A", "text": "Something."}\n')
    (folder / "queries.jsonl").write_text("\n".join(json.dumps(query) for query in QUERIES))
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\ttokens\t1\nq3\tguides/deploying\t1\n")
    return folder


def test_a_set_is_scored_through_the_road_that_answers_users(site: Site, folder: Path) -> None:
    judged = EvaluationSet.open(folder)
    outcomes = run(
        site.services.answerer, site.services.store.current(), judged.queries, rewrites=False, done=lambda _: None
    )
    figures = summary(outcomes, judged.judgements)
    assert (figures["queries"], figures["judged"]) == (3, 2)
    assert figures["mrr@10"] == 1.0
    assert figures["answerable"] == {
        "auroc": 1.0,
        "answered_share_of_answerable": 1.0,
        "declined_share_of_unanswerable": 1.0,
    }
    assert figures["latency_ms"]["p50"] > 0


def test_the_closest_passages_are_no_answer(site: Site, folder: Path) -> None:
    judged = EvaluationSet.open(folder)
    corpus = site.services.store.current()
    closest = _Traced(site.services.answerer, closest_answer(corpus))
    outcomes = run(cast("Answerer", closest), corpus, judged.queries, rewrites=False, done=lambda _: None)
    figures = summary(outcomes, judged.judgements)["answerable"]
    assert (figures["answered_share_of_answerable"], figures["declined_share_of_unanswerable"]) == (0.0, 1.0)


class _Traced:
    """Finds what the answerer finds, and gives one answer."""

    def __init__(self, answerer: Answerer, answer: Answer) -> None:
        self._answerer = answerer
        self._answer = answer

    def trace(self, question: Question) -> Trace:
        return replace(self._answerer.trace(question), answer=self._answer)


def test_a_document_ranks_once_where_its_best_passage_does(site: Site, folder: Path) -> None:
    judged = EvaluationSet.open(folder)
    (first, *_) = run(
        site.services.answerer, site.services.store.current(), judged.queries, rewrites=False, done=lambda _: None
    )
    documents = [document for document, _ in first.ranking]
    assert documents[0] == "tokens"
    assert len(documents) == len(set(documents)) == 5


def test_a_run_is_written_and_read_back_and_equal_runs_do_not_differ(site: Site, folder: Path, tmp_path: Path) -> None:
    judged = EvaluationSet.open(folder)
    outcomes = run(
        site.services.answerer, site.services.store.current(), judged.queries, rewrites=True, done=lambda _: None
    )
    write_run(tmp_path / "run.tsv", outcomes)
    first_line = (tmp_path / "run.tsv").read_text().splitlines()[0].split("\t")
    assert first_line[:3] == ["q1", "tokens", "1"]
    same = compare(read_run(tmp_path / "run.tsv"), {o.query.id: o.ranking for o in outcomes}, judged.judgements)
    assert same["ndcg@10"].difference == 0


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("queries.jsonl", '{"id": "q1"}', "queries.jsonl:1 is not a query"),
        ("queries.jsonl", "no json", "queries.jsonl:1 is not a query"),
        ("qrels.tsv", "query-id\tcorpus-id\tscore\nq1\ttokens", "qrels.tsv:2"),
    ],
)
def test_a_set_that_cannot_be_read_names_file_and_line(folder: Path, name: str, text: str, message: str) -> None:
    (folder / name).write_text(text)
    with pytest.raises(SetError, match=message):
        EvaluationSet.open(folder)


def test_a_folder_that_is_no_set_says_what_a_set_has(tmp_path: Path) -> None:
    with pytest.raises(SetError, match=r"corpus\.jsonl, queries\.jsonl, qrels\.tsv"):
        EvaluationSet.open(tmp_path)
