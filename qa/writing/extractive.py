"""The extractive writer: which sentences and blocks of the passages answer the question, quoted verbatim."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Self

from indexes.search.analysis import distinct_terms, informative_terms
from indexes.types import QuotableKind
from qa.reading.spans import QuotableFeatures, quotable_features
from qa.types import Passage

_CONSIDERED = 5  # passages
_MOST_PASSAGES = 3
_MOST_QUOTES = 4
_MOST_CHARACTERS = 1_400  # of sentences; a block that answers is quoted whole
_WORTH = 0.6  # share of the best candidate's score below which one is not considered
_ALIKE = 0.6  # share of common terms from which two quotations say the same

_STEPS = re.compile(r"\bhow (?:do|can|should|would|to)\b|\bsteps?\b|\bprocedure\b|\bchecklist\b", re.IGNORECASE)
_CODE = re.compile(
    r"\b(?:example|code|snippet|config(?:uration)?|command|script|query|yaml|json|sql|dockerfile|syntax|curl)\b",
    re.IGNORECASE,
)
_COMPARISON = re.compile(
    r"\b(?:vs\.?|versus|compared?|comparison|difference|differ|trade-?offs?|which|when to use|or)\b", re.IGNORECASE
)
_AMOUNT = re.compile(
    r"\bhow (?:many|much|long|often|large|big|small|high|low|fast)\b|\b(?:limit|size|timeout|number)\b", re.IGNORECASE
)
_DEFINITION = re.compile(r"^\W*what(?:['’]s| is| are| does| do| was)\b|\bmeaning\b|\bdefin", re.IGNORECASE)
_FORMS: Mapping[QuotableKind, re.Pattern[str]] = {"list": _STEPS, "code": _CODE, "table": _COMPARISON}
# Chosen on half of `benchmarks/data/quotations.jsonl` and `parts.jsonl`: docs/decisions/answers.md
_WANTED = 0.15
_UNWANTED: Mapping[QuotableKind, float] = {"code": -0.35, "table": -0.15, "list": -0.15, "item": -0.05}
# A section on when something is wrong is no answer to how it is done right.
_NEGATIVE = re.compile(
    r"\b(?:not|never|avoid|without|wrong|pitfalls?|mistakes?|anti-?patterns?|limits|limitations|problems?|drawbacks?)\b"
    r"|n['’]t\b|\b(?:instead|rather than|alternatives?|downsides?|too)\b",
    re.IGNORECASE,
)
_OPPOSITE = 0.75


@dataclass(frozen=True, slots=True)
class Quote:
    """A span chosen for the answer: `passage.article.markdown[start:end]`."""

    kind: QuotableKind
    passage: Passage
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.passage.article.markdown[self.start : self.end]

    def overlaps(self, other: Quote) -> bool:
        same = self.passage.article.id == other.passage.article.id
        return same and self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class _QuestionProfile:
    """A question: its terms by rarity, and what its form asks for."""

    weights: Mapping[str, float]
    forms: frozenset[QuotableKind]  # of the blocks asked for
    amount: bool
    definition: bool
    negative: bool

    @classmethod
    def of(cls, question: str, rarity: Callable[[str], float]) -> Self:
        return cls(
            weights={term: rarity(term) for term in informative_terms(question)},
            forms=frozenset(kind for kind, form in _FORMS.items() if form.search(question)),
            amount=bool(_AMOUNT.search(question)),
            definition=bool(_DEFINITION.search(question)),
            negative=bool(_NEGATIVE.search(question)),
        )


@dataclass(frozen=True, slots=True)
class _Candidate:
    quote: Quote
    place: int  # among the passage's quotables
    span: QuotableFeatures
    score: float

    @property
    def words(self) -> frozenset[str]:
        return self.span.words


class ExtractiveWriter:
    """Needs no model: weighs every quotable span of the first passages by the question's words it holds."""

    def write(self, question: str, passages: Sequence[Passage], rarity: Callable[[str], float]) -> tuple[Quote, ...]:
        """The quotations that answer `question`, the one that answers best first; `()` if nothing can be quoted."""
        asked = _QuestionProfile.of(question, rarity)
        candidates = [
            candidate
            for rank, passage in enumerate(passages[:_CONSIDERED])
            for candidate in _candidates(asked, passage, rank)
        ]
        if not candidates:
            return ()
        candidates.sort(key=lambda candidate: -candidate.score)
        return tuple(_compose(asked, candidates))


def _candidates(asked: _QuestionProfile, passage: Passage, rank: int) -> list[_Candidate]:
    context = distinct_terms(passage.context)
    trust = _trust(asked, passage, rank)
    found = []
    for place, (quotable, span) in enumerate(zip(passage.quotables, quotable_features(passage), strict=True)):
        if span.introduces:
            continue  # it comes with the block it introduces
        own = covered(asked.weights, span.words)
        joint = covered(asked.weights, span.words | context)
        score = trust * (0.25 + own + 0.5 * joint + _fitness(asked, span, opens=place == 0))
        found.append(_Candidate(Quote(quotable.kind, passage, quotable.start, quotable.end), place, span, score))
    return found


def _trust(asked: _QuestionProfile, passage: Passage, rank: int) -> float:
    """How far a passage is believed to be about the question, from its rank, its similarity and its heading."""
    similarity = passage.similarity if passage.similarity is not None else 0.4
    opposite = bool(passage.heading and not asked.negative and _NEGATIVE.search(passage.heading[-1]))
    return (0.5 + max(similarity, 0.0)) / (1 + 0.2 * rank) * (_OPPOSITE if opposite else 1.0)


def _fitness(asked: _QuestionProfile, span: QuotableFeatures, *, opens: bool) -> float:
    """What the form of a quotation adds for the form of the question."""
    bonus = 0.1 if opens else 0.0  # a section opens with its point
    if span.kind == "sentence":
        return bonus + _fitness_of_sentence(asked, span, opens=opens)
    return bonus + (_WANTED if span.kind in asked.forms else _UNWANTED[span.kind])


def _fitness_of_sentence(asked: _QuestionProfile, span: QuotableFeatures, *, opens: bool) -> float:
    bonus = -0.3 if span.dangles or span.elsewhere else 0.0
    if asked.amount and span.amount:
        bonus += 0.2
    if asked.definition:
        bonus += 0.35 if opens else 0.2
    return bonus


def _compose(asked: _QuestionProfile, candidates: Sequence[_Candidate]) -> list[Quote]:
    """The best candidate, what it needs to be understood, and what adds to it."""
    best = candidates[0]
    chosen = [best]
    said = set(best.words)
    for candidate in candidates[1:]:
        if len(chosen) == _MOST_QUOTES or sum(c.quote.end - c.quote.start for c in chosen) > _MOST_CHARACTERS:
            break
        if candidate.score < _WORTH * best.score:  # and so are all that follow
            break
        if _adds(asked, candidate, chosen, said):
            chosen.append(candidate)
            said |= candidate.words
    return _in_reading_order(chosen)


def _adds(asked: _QuestionProfile, candidate: _Candidate, chosen: Sequence[_Candidate], said: set[str]) -> bool:
    """Whether a candidate says something new that is asked for, or answers nearly as well as the best one."""
    best, quote = chosen[0], candidate.quote
    if candidate.span.elsewhere or any(_overlap(candidate, other) for other in chosen):
        return False
    if quote.kind not in ("sentence", "item"):
        only_block = all(c.quote.kind in ("sentence", "item") for c in chosen)
        if not (only_block and quote.kind in asked.forms):
            return False
    if len({c.quote.passage.chunk for c in chosen} | {quote.passage.chunk}) > _MOST_PASSAGES:
        return False
    gained = covered(asked.weights, said | candidate.words) - covered(asked.weights, said)
    nearly_as_good = 0.75 if quote.passage.chunk == best.quote.passage.chunk else 0.8
    return gained >= 0.1 or candidate.score >= nearly_as_good * best.score


def covered(weights: Mapping[str, float], words: Set[str]) -> float:
    """The weighted share of the question's terms among `words`; 0 for a question without any."""
    total = sum(weights.values())
    return sum([weight for term, weight in weights.items() if term in words]) / total if total else 0.0


def _overlap(one: _Candidate, other: _Candidate) -> bool:
    """Whether two candidates share text or say the same."""
    if one.quote.overlaps(other.quote):
        return True
    return len(one.words & other.words) / max(1, min(len(one.words), len(other.words))) > _ALIKE


def _in_reading_order(chosen: Sequence[_Candidate]) -> list[Quote]:
    """The best passage's quotations first, each passage's in reading order, blocks after their introduction."""
    passages = list(dict.fromkeys(c.quote.passage.chunk for c in chosen))
    ordered: list[Quote] = []
    for chunk in passages:
        own = sorted((c for c in chosen if c.quote.passage.chunk == chunk), key=lambda c: c.quote.start)
        for candidate in own:
            needed = _needed_before(candidate)
            if needed and not any(q.start == needed.start and q.passage is needed.passage for q in ordered):
                ordered.append(needed)
            ordered.append(candidate.quote)
    return ordered


def _needed_before(candidate: _Candidate) -> Quote | None:
    """The introduction of a block, or the sentence that a dangling one points back to."""
    passage, place = candidate.quote.passage, candidate.place
    before = passage.quotables[place - 1] if place else None
    if before is None or before.kind != "sentence":
        return None
    introduces = quotable_features(passage)[place - 1].introduces
    needed = candidate.span.dangles and not introduces if candidate.span.kind == "sentence" else introduces
    return Quote("sentence", passage, before.start, before.end) if needed else None
