"""Reads passages with learned weights: one softmax over all of them and "none of them answers"."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from qa.reading.features import Features, QuestionFeatures, passage_features, question_features, span_features
from qa.reading.network import ReaderWeights, weights
from qa.reading.reading import NOTHING_READ, Reading, ReadPassage, SearchedQuestion
from qa.types import Passage

_QUOTED = 6  # passages, from the best, in which spans are chosen
_CERTAIN = 1e-6


class LearnedScorer:
    """One learned reading decides order, choice, confidence and refusal (docs/model-card.md)."""

    def score(self, question: SearchedQuestion, passages: Sequence[Passage]) -> Reading:
        """The passages of `question.retrieved`, best first; spans are chosen in the first few."""
        if not passages:
            return NOTHING_READ
        learned = weights("keywords" if question.retrieved.degraded else "vectors")
        asked = QuestionFeatures.of(question)
        rows = passage_features(question, asked)
        scores = learned.passage(rows)
        nothing = learned.none(question_features(question, asked, rows)[np.newaxis])
        shares = _softmax(np.concatenate([scores, nothing]))
        order = np.argsort(-scores, kind="stable").tolist()
        read = tuple(
            ReadPassage(
                replace(passages[i], score=float(shares[i])),
                float(shares[i]),
                _spans(learned, asked, question, i) if place < _QUOTED else (),
            )
            for place, i in enumerate(order)
        )
        none = float(shares[-1])
        first = read[0].passage.article.id
        article = sum(one.probability for one in read if one.passage.article.id == first)
        confidence = _calibrated(learned, article, 1 - none)
        return Reading(read, none, confidence, {"top": read[0].probability, "article": article, "any": 1 - none})


def _spans(
    learned: ReaderWeights, asked: QuestionFeatures, question: SearchedQuestion, index: int
) -> tuple[float, ...]:
    passage = question.retrieved.passages[index]
    if not passage.quotables:
        return ()
    rows = span_features(asked, passage, question.retrieved.signals[index])
    return tuple(float(share) for share in _softmax(learned.span(rows)))


def _softmax(scores: Features) -> Features:
    powers = np.exp(scores - scores.max())
    return np.asarray(powers / powers.sum(), dtype=np.float32)


def _calibrated(learned: ReaderWeights, article: float, some: float) -> float:
    """The probability that the article of the first passage is the right one, from what its passages and all passages
    have together.

    Which passage of the right article comes first says little of whether the answer helps: docs/decisions/reading.md.
    """
    bias, slope_article, slope_some = learned.calibration
    return 1 / (1 + math.exp(-(bias + slope_article * _logit(article) + slope_some * _logit(some))))


def _logit(share: float) -> float:
    bounded = min(1 - _CERTAIN, max(_CERTAIN, share))
    return math.log(bounded / (1 - bounded))
