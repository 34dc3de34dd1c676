"""A follow-up and its history to a question that stands alone. No LLM: history is added, never invented."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from indexes.search.analysis import informative_terms
from qa.types import REFUSAL, AnswerKind, Probe, Question, Standalone, Turn

# A question that leans on the one before it: it opens like a continuation, or points back with a pronoun.
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
_FEW_TERMS = 2  # a question with no more informative terms than this rarely says what it is about
_FURTHEST = 3  # user turns to look back for one that stands alone
# Best of the weights tried on the development conversations: docs/decisions/follow-ups.md
HISTORY_WEIGHT = 0.5
ANSWER_WEIGHT = 0.5
_ANSWER_OPENING = 200  # characters of the last answer: its first sentence or two say what it was about
_MARK = re.compile(r"(?<!\s)\s*\[\d+\]")


class QuestionRewriter(Protocol):
    def standalone(self, question: Question) -> Standalone: ...


class HistoryRewriter:
    """Searches for the last turn and, if it leans on them, also for the turns it leans on and the last answer."""

    def __init__(self, history_weight: float = HISTORY_WEIGHT, answer_weight: float = ANSWER_WEIGHT) -> None:
        self._history_weight = history_weight
        self._answer_weight = answer_weight

    def standalone(self, question: Question) -> Standalone:
        leaned_on = _leaned_on(question.text, question.history)
        if not leaned_on:
            return Standalone(question.text, (Probe(question.text, 1.0),))
        probes = [Probe(question.text, 1.0)]
        answer = _last_answer(question.history)
        if answer and self._answer_weight:
            probes.append(Probe(f"{question.text} {answer}", self._answer_weight))
        whole = " ".join([*leaned_on, question.text])
        return Standalone(whole, (*probes, Probe(whole, self._history_weight)))


def leans_on_history(text: str) -> bool:
    """Whether a question can hardly be understood alone."""
    return bool(_OPENS.search(text) or _POINTS_BACK.search(text)) or len(informative_terms(text)) <= _FEW_TERMS


def _leaned_on(text: str, history: Sequence[Turn]) -> list[str]:
    """The user turns that `text` needs to be understood, oldest first."""
    if not leans_on_history(text):
        return []
    found: list[str] = []
    for turn in reversed([turn for turn in history if turn.role == "user"][-_FURTHEST:]):
        found.insert(0, turn.text.strip())
        if not leans_on_history(turn.text):
            break
    return found


def _last_answer(history: Sequence[Turn]) -> str:
    """How the answer that the asker has just read begins; "" after a refusal, which is about nothing."""
    last = history[-1]
    if last.role != "assistant" or _is_refusal(last):
        return ""
    return _MARK.sub("", last.text)[:_ANSWER_OPENING].strip()


def _is_refusal(turn: Turn) -> bool:
    """Whether a turn was declined. Of a history that a client keeps, only its text can say so."""
    return turn.kind is AnswerKind.REFUSED if turn.kind else turn.text.startswith(REFUSAL)
