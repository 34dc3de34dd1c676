"""Signals that might tell an answerable question from another, beside those that `qa.reading.evidence` weighs."""

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
class Asked:
    """A question with what led to its answer."""

    question: Question
    trace: Trace
    corpus: Corpus

    @property
    def passages(self) -> tuple[Passage, ...]:
        return self.trace.retrieved.passages[:_WEIGHED]

    def weights(self) -> dict[str, float]:
        return term_weights(self.trace.answer.standalone_question, self.corpus.vocabulary)


def margin(asked: Asked) -> float:
    """How far the best candidate stands above the fiftieth."""
    ranking = asked.trace.retrieved.ranking
    return ranking[0].score - ranking[min(49, len(ranking) - 1)].score if ranking else 0.0


def agreement(asked: Asked) -> float:
    """The share of the ten best candidates by keyword that are among the ten best by fused score."""
    keywords = asked.corpus.keyword_hits(dict.fromkeys(asked.weights(), 1.0), 10)
    fused = {hit.chunk for hit in asked.trace.retrieved.ranking[:10]}
    return sum(hit.chunk in fused for hit in keywords) / 10


def coverage(asked: Asked) -> float:
    """The share of the question's words in the first passages together, rare words counting more."""
    return covered(asked.weights(), {t for p in asked.passages for t in terms(f"{p.context} {p.text}")})


def best_coverage(asked: Asked) -> float:
    """The same share in the one passage that covers most."""
    return max((covered(asked.weights(), set(terms(f"{p.context} {p.text}"))) for p in asked.passages), default=0.0)


def subject(asked: Asked) -> float:
    """The same share in the titles, headings, summaries and tags of the first passages."""
    about = [" ".join([p.context, p.article.summary, *p.article.tags]) for p in asked.passages]
    return max((covered(asked.weights(), set(terms(text))) for text in about), default=0.0)


def sentence(asked: Asked) -> float:
    """The same share in the one sentence or block that covers most: does a sentence answer?"""
    shares = [
        covered(asked.weights(), set(terms(p.article.markdown[q.start : q.end])))
        for p in asked.passages
        for q in p.quotables
    ]
    return max(shares, default=0.0)


def unseen(asked: Asked) -> float:
    """The share of the question's words that occur nowhere."""
    weights = asked.weights()
    return covered(weights, {term for term in weights if not asked.corpus.vocabulary.occurs(term)})


def spread(asked: Asked) -> float:
    """How many articles the first five passages come from."""
    return float(len({p.article.id for p in asked.trace.retrieved.passages[:5]}))


def leaning(asked: Asked) -> float:
    """1 where the question is a follow-up that leans on its history."""
    return float(bool(asked.question.history) and leans_on_history(asked.question.text))


SIGNALS: Mapping[str, Callable[[Asked], float]] = {
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
