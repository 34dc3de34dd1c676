"""Turns a follow-up and its history into a standalone question by adding earlier turns; no LLM is involved."""

from __future__ import annotations

import re
from collections.abc import Sequence

from indexes.search.analysis import informative_terms
from qa.types import CLOSEST, REFUSAL, AnswerKind, Probe, Question, Standalone, Turn

# Signs of a follow-up: it opens like a continuation, or points back with a pronoun.
_OPENS = re.compile(
    r"^\W*(?:and|but|or|so|also|then|what about|how about|what if|why not|same|ok(?:ay)?|yes|no|yeah|sure|instead"
    r"|else)\b",
    re.IGNORECASE,
)
_POINTS_BACK = re.compile(
    r"\b(?:it|its|they|them|their|theirs|those|these|this|that|there|one|ones|he|she|him|her|another|the (?:same|first"
    r"|second|third|last|latter|former|other|others))\b",
    re.IGNORECASE,
)
# Chosen by eye; only the weights below were measured.
_FEW_TERMS = 2  # a question with no more informative terms than this rarely names its subject
_FURTHEST = 3  # user turns to look back for one that stands alone
# The best weights of those measured on the development conversations: docs/decisions/follow-ups.md
HISTORY_WEIGHT = 0.5
ANSWER_WEIGHT = 0.5
_ANSWER_OPENING = 200  # characters of the last answer: the first sentence or two name its subject
_MARK = re.compile(r"(?<!\s)\s*\[\d+\]")


class HistoryRewriter:
    """Searches for the last turn; for a follow-up also for the turns it depends on and the last answer."""

    def __init__(self, history_weight: float = HISTORY_WEIGHT, answer_weight: float = ANSWER_WEIGHT) -> None:
        self._history_weight = history_weight
        self._answer_weight = answer_weight

    def standalone(self, question: Question) -> Standalone:
        turns_needed = _turns_needed(question.text, question.history)
        if not turns_needed:
            return Standalone(question.text, (Probe(question.text, 1.0),))
        probes = [Probe(question.text, 1.0)]
        answer = _last_answer(question.history)
        if answer and self._answer_weight:
            probes.append(Probe(f"{question.text} {answer}", self._answer_weight))
        whole = " ".join([*turns_needed, question.text])
        return Standalone(whole, (*probes, Probe(whole, self._history_weight)))


def leans_on_history(text: str) -> bool:
    """Whether a question is a follow-up that cannot be understood alone."""
    return bool(_OPENS.search(text) or _POINTS_BACK.search(text)) or len(informative_terms(text)) <= _FEW_TERMS


def _turns_needed(text: str, history: Sequence[Turn]) -> list[str]:
    """The user turns that a follow-up `text` depends on, oldest first; [] for a standalone question."""
    if not leans_on_history(text):
        return []
    turns_needed: list[str] = []
    for turn in reversed([turn for turn in history if turn.role == "user"][-_FURTHEST:]):
        turns_needed.insert(0, turn.text.strip())
        if not leans_on_history(turn.text):
            break
    return turns_needed


def _last_answer(history: Sequence[Turn]) -> str:
    """The opening of the answer just given; "" after what asserts nothing, and so names no subject."""
    last = history[-1]
    if last.role != "assistant" or _asserts_nothing(last):
        return ""
    return _MARK.sub("", last.text)[:_ANSWER_OPENING].strip()


def _asserts_nothing(turn: Turn) -> bool:
    """Whether a turn asserts nothing. Of a history that a client keeps, only its text can say so."""
    unanswered = (AnswerKind.REFUSED, AnswerKind.CLOSEST)
    return turn.kind in unanswered if turn.kind else turn.text.startswith((REFUSAL, CLOSEST))
