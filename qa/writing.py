"""The extractive writer: which sentences and blocks of the passages answer the question, quoted verbatim."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from indexes.analysis import distinct_terms, informative_terms
from indexes.types import Quotable, QuotableKind
from qa.types import Passage

_CONSIDERED = 5  # passages
_MOST_PASSAGES = 3
_MOST_QUOTES = 4
_MOST_CHARACTERS = 1_400  # of sentences; a block that answers is quoted whole
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
_DANGLING = re.compile(
    r"^\W*(?:this|that|these|those|it|its|they|their|he|she|such|here|however|therefore|thus|hence|also|but|and|then|so"
    r"|otherwise|instead|for example|for instance|in that case|similarly|likewise|conversely|both|neither|as above"
    r"|the (?:former|latter|above|same|first|second))\b",
    re.IGNORECASE,
)
# What only points to another place says nothing itself.
_ELSEWHERE = re.compile(
    r"\b(?:tables?|lists?|figures?|examples?|code|commands?|steps?|sequence|sections?|sketch|snippets?|functions?|class"
    r"|quer(?:y|ies)|diagram|configuration|shown|described|listed|compared|given|seen)\s+(?:above|below)\b"
    r"|^\W*(?:see|read)\b"
    r"|\b(?:covered|described|explained|treated|discussed|detailed|documented)\s+in\b",
    re.IGNORECASE,
)


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
class _Candidate:
    quote: Quote
    place: int  # among the passage's quotables
    words: frozenset[str]
    score: float


class ExtractiveWriter:
    """Needs no model: weighs every quotable span of the first passages by the question's words it holds."""

    def write(self, question: str, passages: Sequence[Passage], rarity: Callable[[str], float]) -> tuple[Quote, ...]:
        """The quotations that answer `question`, the one that answers best first; `()` if nothing can be quoted."""
        weights = {term: rarity(term) for term in informative_terms(question)}
        candidates = [
            candidate
            for rank, passage in enumerate(passages[:_CONSIDERED])
            for candidate in _candidates(question, weights, passage, rank)
        ]
        if not candidates:
            return ()
        candidates.sort(key=lambda candidate: -candidate.score)
        return tuple(_compose(question, candidates, weights))


def _candidates(question: str, weights: dict[str, float], passage: Passage, rank: int) -> list[_Candidate]:
    context = distinct_terms(passage.context)
    trust = _trust(question, passage, rank)
    found = []
    for place, quotable in enumerate(passage.quotables):
        quote = Quote(quotable.kind, passage, quotable.start, quotable.end)
        if _introduces(quote.text):
            continue  # it comes with the block it introduces
        words = distinct_terms(_with_introduction(passage, place))
        own = covered(weights, set(words))
        joint = covered(weights, set(words) | context)
        score = trust * (0.25 + own + 0.5 * joint + _fitness(question, quote, place))
        found.append(_Candidate(quote, place, words, score))
    return found


def _trust(question: str, passage: Passage, rank: int) -> float:
    """How far a passage is believed to be about the question, from its rank, its similarity and its heading."""
    similarity = passage.similarity if passage.similarity is not None else 0.4
    opposite = bool(passage.heading and _NEGATIVE.search(passage.heading[-1])) and not _NEGATIVE.search(question)
    return (0.5 + max(similarity, 0.0)) / (1 + 0.2 * rank) * (_OPPOSITE if opposite else 1.0)


def _fitness(question: str, quote: Quote, place: int) -> float:
    """What the form of a quotation adds for the form of the question."""
    bonus = 0.1 if place == 0 else 0.0  # a section opens with its point
    if quote.kind == "sentence":
        return bonus + _fitness_of_sentence(question, quote.text, opens=place == 0)
    return bonus + (_WANTED if _asks_for(question, quote.kind) else _UNWANTED[quote.kind])


def _fitness_of_sentence(question: str, text: str, *, opens: bool) -> float:
    bonus = -0.3 if _DANGLING.match(text) or _ELSEWHERE.search(text) else 0.0
    if _AMOUNT.search(question) and re.search(r"\d", text):
        bonus += 0.2
    if _DEFINITION.search(question):
        bonus += 0.35 if opens else 0.2
    return bonus


def _asks_for(question: str, kind: QuotableKind) -> bool:
    """Whether the form of a question asks for a block of this kind."""
    form = _FORMS.get(kind)
    return bool(form and form.search(question))


def _compose(question: str, candidates: Sequence[_Candidate], weights: dict[str, float]) -> list[Quote]:
    """The best candidate, what it needs to be understood, and what adds to it."""
    best = candidates[0]
    chosen = [best]
    said = set(best.words)
    for candidate in candidates[1:]:
        if len(chosen) == _MOST_QUOTES or sum(len(c.quote.text) for c in chosen) > _MOST_CHARACTERS:
            break
        if _adds(question, candidate, chosen, said, weights):
            chosen.append(candidate)
            said |= candidate.words
    return _in_reading_order(chosen)


def _adds(
    question: str, candidate: _Candidate, chosen: Sequence[_Candidate], said: set[str], weights: dict[str, float]
) -> bool:
    """Whether a candidate says something new that is asked for, or answers nearly as well as the best one."""
    best, quote = chosen[0], candidate.quote
    if any(_overlap(candidate, other) for other in chosen) or candidate.score < 0.6 * best.score:
        return False
    if quote.kind == "sentence" and _ELSEWHERE.search(quote.text):
        return False
    if quote.kind not in ("sentence", "item"):
        only_block = all(c.quote.kind in ("sentence", "item") for c in chosen)
        if not (only_block and _asks_for(question, quote.kind)):
            return False
    if len({c.quote.passage.chunk for c in chosen} | {quote.passage.chunk}) > _MOST_PASSAGES:
        return False
    gained = covered(weights, said | candidate.words) - covered(weights, said)
    nearly_as_good = 0.75 if quote.passage.chunk == best.quote.passage.chunk else 0.8
    return gained >= 0.1 or candidate.score >= nearly_as_good * best.score


def covered(weights: Mapping[str, float], words: set[str]) -> float:
    """The weighted share of the question's terms among `words`; 0 for a question without any."""
    total = sum(weights.values())
    return sum(weight for term, weight in weights.items() if term in words) / total if total else 0.0


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
    quote = Quote("sentence", passage, before.start, before.end)
    if candidate.quote.kind == "sentence":
        dangles = _DANGLING.match(candidate.quote.text) and not _introduces(quote.text)
        return quote if dangles else None
    return quote if _introduces(quote.text) else None


def _with_introduction(passage: Passage, place: int) -> str:
    quotable = passage.quotables[place]
    text = passage.article.markdown[quotable.start : quotable.end]
    before = passage.quotables[place - 1] if place and quotable.kind != "sentence" else None
    introduction = _text(passage, before) if before and before.kind == "sentence" else ""
    return f"{introduction} {text}" if _introduces(introduction) else text


def _text(passage: Passage, quotable: Quotable) -> str:
    return passage.article.markdown[quotable.start : quotable.end]


def _introduces(text: str) -> bool:
    return text.rstrip("*_ ").endswith(":")
