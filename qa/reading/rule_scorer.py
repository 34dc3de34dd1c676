"""Scores the quotables of the first passages by rules: the question's words they hold, their place and their form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from indexes.search.analysis import distinct_terms
from indexes.types import QuotableKind
from qa.reading.evidence import weigh
from qa.reading.features import QuotableFeatures, quotable_features
from qa.reading.question_form import QuestionForm, is_negative
from qa.reading.reading import Reading, ScoredSpan, SearchedQuestion
from qa.reading.term_coverage import covered, term_weights
from qa.types import Passage

_CONSIDERED = 5  # passages
_TYPICAL_SIMILARITY = 0.4  # of a passage, where the vectors are unavailable
# Chosen on half of `benchmarks/data/quotations.jsonl` and `parts.jsonl`: docs/decisions/answers.md
_WANTED = 0.15
_UNWANTED: Mapping[QuotableKind, float] = {"code": -0.35, "table": -0.15, "list": -0.15, "item": -0.05}
_OPPOSITE = 0.75


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a question wants: its terms by rarity, and its form."""

    weights: Mapping[str, float]
    form: QuestionForm


class RuleScorer:
    """Needs no model: weighs every quotable of the first passages by the question's words it holds."""

    def score(self, question: SearchedQuestion, passages: Sequence[Passage]) -> Reading:
        """The quotables of the first five passages, best first; sentences that only introduce a block are left out."""
        evidence = weigh(question)
        text = question.standalone.text
        wanted = _Wanted(term_weights(text, question.vocabulary), QuestionForm.of(text))
        spans = [span for rank, passage in enumerate(passages[:_CONSIDERED]) for span in _spans(wanted, passage, rank)]
        spans.sort(key=lambda span: -span.score)
        return Reading(tuple(spans), 1 - evidence.confidence, asdict(evidence))


def _spans(wanted: _Wanted, passage: Passage, rank: int) -> Iterator[ScoredSpan]:
    context = distinct_terms(passage.context)
    trust = _trust(wanted, passage, rank)
    for index, features in enumerate(quotable_features(passage)):
        if features.introduces:
            continue  # it comes with the block it introduces
        own = covered(wanted.weights, features.words)
        joint = covered(wanted.weights, features.words | context)
        fitness = _fitness(wanted.form, features, opens=index == 0)
        yield ScoredSpan(passage, index, trust * (0.25 + own + 0.5 * joint + fitness))


def _trust(wanted: _Wanted, passage: Passage, rank: int) -> float:
    """How far a passage is believed to be about the question, from its rank, its similarity and its heading."""
    similarity = passage.similarity if passage.similarity is not None else _TYPICAL_SIMILARITY
    opposite = bool(passage.heading and not wanted.form.negative and is_negative(passage.heading[-1]))
    return (0.5 + max(similarity, 0.0)) / (1 + 0.2 * rank) * (_OPPOSITE if opposite else 1.0)


def _fitness(form: QuestionForm, features: QuotableFeatures, *, opens: bool) -> float:
    """What the form of a quotable adds for the form of the question."""
    bonus = 0.1 if opens else 0.0  # a section opens with its point
    if features.kind == "sentence":
        return bonus + _fitness_of_sentence(form, features, opens=opens)
    return bonus + (_WANTED if features.kind in form.blocks else _UNWANTED[features.kind])


def _fitness_of_sentence(form: QuestionForm, features: QuotableFeatures, *, opens: bool) -> float:
    bonus = -0.3 if features.dangles or features.elsewhere else 0.0
    if form.amount and features.amount:
        bonus += 0.2
    if form.definition:
        bonus += 0.35 if opens else 0.2
    return bonus
