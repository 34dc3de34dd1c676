"""The extractive writer: an answer made of the quotables that answer, verbatim, in reading order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from indexes.types import QuotableKind
from qa.reading.features import QuotableFeatures, quotable_features
from qa.reading.question_form import QuestionForm
from qa.reading.reading import Reading, ScoredSpan, SearchedQuestion
from qa.reading.term_coverage import covered, term_weights
from qa.types import WriterName
from qa.writing.statements import Quote, Statement, quoting

# Chosen on half of `benchmarks/data/quotations.jsonl` and `parts.jsonl`: docs/decisions/answers.md
_MOST_PASSAGES = 3
_MOST_QUOTES = 4
_MOST_CHARACTERS = 1_400  # of sentences; a block that answers is quoted whole
_WORTH = 0.6  # share of the best span's score below which one is not considered
_ALIKE = 0.6  # share of common terms from which two quotations say the same
_GAIN = 0.1  # share of the question's terms that a quotation must add
_NEARLY_AS_GOOD = 0.8  # share of the best span's score from which one is quoted even if it adds no term
_NEARLY_AS_GOOD_BESIDE = 0.75  # likewise, in the passage of the best span


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A scored span with its features."""

    span: ScoredSpan
    features: QuotableFeatures

    @classmethod
    def of(cls, span: ScoredSpan) -> _Candidate:
        return cls(span, quotable_features(span.passage)[span.index])

    @property
    def quote(self) -> Quote:
        return Quote(self.span.kind, self.span.passage, self.span.start, self.span.end)

    @property
    def small(self) -> bool:
        """Whether it is a sentence or an item, and not a whole block."""
        return self.span.kind in ("sentence", "item")


class ExtractiveWriter:
    """Needs no model: its statements are quotations."""

    name: WriterName = "extractive"

    def write(self, question: SearchedQuestion, reading: Reading) -> Iterator[Statement]:
        """The best span, what it needs to be understood, and what adds to it; nothing where nothing can be quoted."""
        candidates = [_Candidate.of(span) for span in reading.spans]
        if candidates:
            chosen = _Selection(question, candidates[0])
            chosen.extend(candidates[1:])
            for quote in _in_reading_order(chosen.candidates):
                yield quoting(quote)


class _Selection:
    """The spans chosen so far, and the question's terms that they cover."""

    def __init__(self, question: SearchedQuestion, best: _Candidate) -> None:
        text = question.standalone.text
        self._weights: Mapping[str, float] = term_weights(text, question.vocabulary)
        self._blocks: frozenset[QuotableKind] = QuestionForm.of(text).blocks
        self._best = best
        self._terms = set(best.features.words)
        self.candidates = [best]

    def extend(self, candidates: Sequence[_Candidate]) -> None:
        """Add those of `candidates`, best first, that add something, until there is enough."""
        for candidate in candidates:
            if self._full or candidate.span.score < _WORTH * self._best.span.score:  # and so are all that follow
                return
            if self._adds(candidate):
                self.candidates.append(candidate)
                self._terms |= candidate.features.words

    @property
    def _full(self) -> bool:
        characters = sum(chosen.span.end - chosen.span.start for chosen in self.candidates)
        return len(self.candidates) == _MOST_QUOTES or characters > _MOST_CHARACTERS

    def _adds(self, candidate: _Candidate) -> bool:
        """Whether a candidate says something new that is asked for, or answers nearly as well as the best one."""
        if candidate.features.elsewhere or any(_say_the_same(candidate, other) for other in self.candidates):
            return False
        if not candidate.small and not self._wants_block(candidate.span.kind):
            return False
        passages = {chosen.span.passage.chunk for chosen in (*self.candidates, candidate)}
        if len(passages) > _MOST_PASSAGES:
            return False
        gained = covered(self._weights, self._terms | candidate.features.words) - covered(self._weights, self._terms)
        beside = candidate.span.passage.chunk == self._best.span.passage.chunk
        nearly_as_good = _NEARLY_AS_GOOD_BESIDE if beside else _NEARLY_AS_GOOD
        return gained >= _GAIN or candidate.span.score >= nearly_as_good * self._best.span.score

    def _wants_block(self, kind: QuotableKind) -> bool:
        """Whether the question asks for such a block, and has none yet."""
        return kind in self._blocks and all(chosen.small for chosen in self.candidates)


def _say_the_same(one: _Candidate, other: _Candidate) -> bool:
    """Whether two candidates share text, or nearly all of their terms."""
    if one.quote.overlaps(other.quote):
        return True
    words, others = one.features.words, other.features.words
    return len(words & others) / max(1, min(len(words), len(others))) > _ALIKE


def _in_reading_order(chosen: Sequence[_Candidate]) -> list[Quote]:
    """The best passage's quotations first, each passage's in reading order, blocks after their introduction."""
    ordered: list[Quote] = []
    for chunk in dict.fromkeys(candidate.span.passage.chunk for candidate in chosen):
        own = sorted((c for c in chosen if c.span.passage.chunk == chunk), key=lambda c: c.span.start)
        for candidate in own:
            needed = _needed_before(candidate)
            if needed and not any(q.start == needed.start and q.passage is needed.passage for q in ordered):
                ordered.append(needed)
            ordered.append(candidate.quote)
    return ordered


def _needed_before(candidate: _Candidate) -> Quote | None:
    """The introduction of a block, or the sentence that a dangling one points back to."""
    passage, index = candidate.span.passage, candidate.span.index
    before = passage.quotables[index - 1] if index else None
    if before is None or before.kind != "sentence":
        return None
    introduces = quotable_features(passage)[index - 1].introduces
    needed = candidate.features.dangles and not introduces if candidate.span.kind == "sentence" else introduces
    return Quote("sentence", passage, before.start, before.end) if needed else None
