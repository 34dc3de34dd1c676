"""What the wording of a question asks for: a yes or no, a fact of one moment, steps, code, a comparison, an amount."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from indexes.types import QuotableKind

# A question that wants a yes or a no: passages describe, they seldom confirm or deny.
_CLOSED = re.compile(
    r"^\W*(?:(?:so|but|and|ok|okay|also|then|well|hi|hello|btw|by the way)\b[\s,]*)*"
    r"(?:is|are|am|was|were|do|does|did|can|could|should|would|will|has|have)(?:n['’]t)?\b",
    re.IGNORECASE,
)
# A question for a fact of one moment: a person, a date, a price, how things stand now. Articles seldom hold those.
_PARTICULAR = re.compile(
    r"^\W*(?:(?:and|so|but|ok|hi|hey)\b[\s,]*)*(?:who|whose|whom)\b"
    r"|\bwhom? (?:is|are|was|do|does|did|approved|owns|chairs|leads|runs)\b"
    r"|\b(?:what|which) (?:date|day|office|vendor|account|region|city|person|customers?|clients?)\b"
    r"|\bwhen (?:was|did|is (?:the|our) (?:next|last))\b"
    r"|\b(?:right now|these days|at the moment|tonight|yesterday)\b"
    r"|\b(?:this|last|next) (?:week|weekend|month|quarter|sprint|release)\b"
    r"|\bhow much (?:do|did|does) (?:we|it|our)\b|\bwe (?:spend|pay|bill|charge)\b"
    r"|\b(?:phone number|password|budget|salary|day rate)\b",
    re.IGNORECASE,
)
_STEPS = re.compile(r"\bhow (?:do|can|should|would|to)\b|\bsteps?\b|\bprocedure\b|\bchecklist\b", re.IGNORECASE)
_CODE = re.compile(
    r"\b(?:example|code|snippet|config(?:uration)?|command|script|query|yaml|json|sql|dockerfile|syntax|curl)\b",
    re.IGNORECASE,
)
_COMPARISON = re.compile(
    r"\b(?:vs\.?|versus|compared?|comparison|difference|differ|trade-?offs?|which|when to use|or)\b", re.IGNORECASE
)
_BLOCKS: Mapping[QuotableKind, re.Pattern[str]] = {"list": _STEPS, "code": _CODE, "table": _COMPARISON}
_AMOUNT = re.compile(
    r"\bhow (?:many|much|long|often|large|big|small|high|low|fast)\b|\b(?:limit|size|timeout|number)\b", re.IGNORECASE
)
_DEFINITION = re.compile(r"^\W*what(?:['’]s| is| are| does| do| was)\b|\bmeaning\b|\bdefin", re.IGNORECASE)
# Of a heading, too: a section on when something is wrong is no answer to how it is done right.
_NEGATIVE = re.compile(
    r"\b(?:not|never|avoid|without|wrong|pitfalls?|mistakes?|anti-?patterns?|limits|limitations|problems?|drawbacks?)\b"
    r"|n['’]t\b|\b(?:instead|rather than|alternatives?|downsides?|too)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class QuestionForm:
    """What a question wants to be given."""

    blocks: frozenset[QuotableKind]  # kinds of blocks
    amount: bool
    definition: bool
    negative: bool  # what is wrong, or how not to do it

    @classmethod
    def of(cls, question: str) -> QuestionForm:
        return cls(
            blocks=frozenset(kind for kind, form in _BLOCKS.items() if form.search(question)),
            amount=bool(_AMOUNT.search(question)),
            definition=bool(_DEFINITION.search(question)),
            negative=is_negative(question),
        )


def is_closed(question: str) -> bool:
    """Whether a question wants a yes or a no."""
    return bool(_CLOSED.match(question))


def is_particular(question: str) -> bool:
    """Whether a question wants a person, a date, a price or the state of things now."""
    return bool(_PARTICULAR.search(question))


def is_negative(text: str) -> bool:
    """Whether a question or heading is about what is wrong, or about how not to do something."""
    return bool(_NEGATIVE.search(text))
