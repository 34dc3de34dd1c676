"""Candidate signals of whether a question is answerable, beside those that `qa.reading.evidence` weighs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from indexes.search.analysis import terms
from qa.answering import Trace
from qa.corpus import Corpus
from qa.question.follow_ups import leans_on_history
from qa.reading.term_coverage import covered, term_weights
from qa.types import Passage, Question

_WEIGHED = 3  # passages an answer draws on


@dataclass(frozen=True, slots=True)
class TracedQuestion:
    """A question with the trace of its answer."""

    question: Question
    trace: Trace
    corpus: Corpus

    @property
    def passages(self) -> tuple[Passage, ...]:
        return self.trace.retrieved.passages[:_WEIGHED]

    def weights(self) -> dict[str, float]:
        return term_weights(self.trace.answer.standalone_question, self.corpus.vocabulary)


def margin(traced: TracedQuestion) -> float:
    """The score of the best candidate minus that of the fiftieth."""
    ranking = traced.trace.retrieved.ranking
    return ranking[0].score - ranking[min(49, len(ranking) - 1)].score if ranking else 0.0


def agreement(traced: TracedQuestion) -> float:
    """The share of the ten best candidates by keyword that are among the ten best by fused score."""
    keywords = traced.corpus.keyword_hits(dict.fromkeys(traced.weights(), 1.0), 10)
    fused = {hit.chunk for hit in traced.trace.retrieved.ranking[:10]}
    return sum(hit.chunk in fused for hit in keywords) / 10


def coverage(traced: TracedQuestion) -> float:
    """The share of the question's words in the first passages together, rare words counting more."""
    return covered(traced.weights(), {t for p in traced.passages for t in terms(f"{p.context} {p.text}")})


def best_coverage(traced: TracedQuestion) -> float:
    """The same share in the one passage that covers most."""
    return max((covered(traced.weights(), set(terms(f"{p.context} {p.text}"))) for p in traced.passages), default=0.0)


def subject(traced: TracedQuestion) -> float:
    """The same share in the titles, headings, summaries and tags of the first passages."""
    about = [" ".join([p.context, p.article.summary, *p.article.tags]) for p in traced.passages]
    return max((covered(traced.weights(), set(terms(text))) for text in about), default=0.0)


def sentence(traced: TracedQuestion) -> float:
    """The same share in the one sentence or block that covers most."""
    shares = [
        covered(traced.weights(), set(terms(p.article.markdown[q.start : q.end])))
        for p in traced.passages
        for q in p.quotables
    ]
    return max(shares, default=0.0)


def unseen(traced: TracedQuestion) -> float:
    """The share of the question's words that occur nowhere."""
    weights = traced.weights()
    return covered(weights, {term for term in weights if not traced.corpus.vocabulary.occurs(term)})


def spread(traced: TracedQuestion) -> float:
    """The number of articles that the first five passages come from."""
    return float(len({p.article.id for p in traced.trace.retrieved.passages[:5]}))


def leaning(traced: TracedQuestion) -> float:
    """1 for a follow-up that leans on its history, else 0."""
    return float(bool(traced.question.history) and leans_on_history(traced.question.text))


SIGNALS: Mapping[str, Callable[[TracedQuestion], float]] = {
    "margin": margin,
    "agreement": agreement,
    "coverage": coverage,
    "best coverage": best_coverage,
    "subject": subject,
    "a sentence answers": sentence,
    "unseen words": unseen,
    "spread": spread,
    "leaning": leaning,
}
