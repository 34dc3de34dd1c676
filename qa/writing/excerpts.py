"""Excerpts: the contiguous part of a passage that answers, with what it needs to be understood."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from indexes.types import Quotable
from qa.reading.features import QuotableFacts, quotable_facts
from qa.reading.reading import ReadPassage
from qa.types import Passage, Span
from qa.writing.statements import Quote, Statement, quoting

# Chosen on held-out questions of four knowledge bases: docs/decisions/excerpts.md
_PRICE = 0.1  # of a hundred words, in probability: what a quotable must add to be worth reading
_FEWEST = 40  # words; a shorter excerpt grows towards what is more probable
_MOST = 140  # words, but for what belongs together
_KEY = 0.5  # share of the best quotable's probability from which another one is marked too
_MOST_KEYS = 3


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Consecutive quotables of a passage, none within another, and those of them that answer."""

    passage: Passage
    quotables: tuple[Quotable, ...]
    key: tuple[Span, ...]

    def statements(self) -> Iterator[Statement]:
        """The excerpt as text: a paragraph, a list, a table or a block of code at a time."""
        markdown = self.passage.article.markdown
        for group in _paragraphs(self.quotables, markdown):
            quote = Quote(group[0].kind, self.passage, group[0].start, group[-1].end, self._key_within(group))
            yield quoting(quote)

    def _key_within(self, group: Sequence[Quotable]) -> tuple[Span, ...]:
        return tuple(span for span in self.key if group[0].start <= span.start and span.end <= group[-1].end)

    @property
    def span(self) -> Span:
        return Span(self.quotables[0].start, self.quotables[-1].end)

    @property
    def text(self) -> str:
        return self.passage.article.markdown[self.span.start : self.span.end]

    @property
    def words(self) -> int:
        return len(self.text.split())


def excerpt(read: ReadPassage) -> Excerpt | None:
    """The part of a passage that answers; None where nothing of it can be quoted."""
    leaves = _Leaves.of(read)
    if not leaves.quotables:
        return None
    first, last = leaves.whole(*leaves.grown(*leaves.whole(*leaves.best_run())))
    return Excerpt(read.passage, leaves.quotables[first : last + 1], leaves.key(first, last))


@dataclass(frozen=True)
class _Leaves:
    """The quotables of a passage that hold no other, in order, with their probabilities (1 together)."""

    passage: Passage
    quotables: tuple[Quotable, ...]
    facts: tuple[QuotableFacts, ...]
    shares: tuple[float, ...]

    @classmethod
    def of(cls, read: ReadPassage) -> _Leaves:
        """What a list as a whole is thought to answer is shared among its items."""
        quotables, facts = read.passage.quotables, quotable_facts(read.passage)
        if not read.spans:
            return cls(read.passage, (), (), ())
        leaves = [i for i, q in enumerate(quotables) if not any(_holds(q, other) for other in quotables)]
        shares = {i: read.spans[i] for i in leaves}
        for i, whole in enumerate(quotables):
            inside = [leaf for leaf in leaves if _holds(whole, quotables[leaf])]
            for leaf in inside:
                shares[leaf] += read.spans[i] / len(inside)
        leaves.sort(key=lambda i: quotables[i].start)
        return cls(
            read.passage,
            tuple(quotables[i] for i in leaves),
            tuple(facts[i] for i in leaves),
            tuple(shares[i] for i in leaves),
        )

    @cached_property
    def words(self) -> list[int]:
        return [fact.length for fact in self.facts]

    def best_run(self) -> tuple[int, int]:
        """The run whose probability most exceeds the price of its words; the best quotable is in it."""
        best = max(range(len(self.shares)), key=lambda i: self.shares[i])
        worth = [share - _PRICE * length / 100 for share, length in zip(self.shares, self.words, strict=True)]
        runs = [(a, b) for a in range(best + 1) for b in range(best, len(worth)) if sum(self.words[a : b + 1]) <= _MOST]
        return max(runs or [(best, best)], key=lambda run: (sum(worth[run[0] : run[1] + 1]), run[0] - run[1]))

    def grown(self, first: int, last: int) -> tuple[int, int]:
        """A run of few words with its more probable neighbours."""
        while sum(self.words[first : last + 1]) < _FEWEST and (first > 0 or last + 1 < len(self.shares)):
            before = self.shares[first - 1] if first > 0 else -1.0
            after = self.shares[last + 1] if last + 1 < len(self.shares) else -1.0
            longer = (first - 1, last) if before > after else (first, last + 1)
            if sum(self.words[longer[0] : longer[1] + 1]) > _MOST:
                break
            first, last = longer
        return first, last

    def whole(self, first: int, last: int) -> tuple[int, int]:
        """A run with what it cannot do without: its list, the sentence that introduces or is pointed back to."""
        if self.facts[first].kind == "item":
            first = self._start_of_list(first)
        if self.facts[last].kind == "item" or self.facts[last].introduces:
            last = self._end_of_block(first, last)
        if first > 0 and self._needs_before(first):
            first -= 1
        return first, last

    def key(self, first: int, last: int) -> tuple[Span, ...]:
        """The places of the best quotables of a run, in order."""
        run = sorted(range(first, last + 1), key=lambda i: -self.shares[i])
        worth = [i for i in run if self.shares[i] >= _KEY * self.shares[run[0]]][:_MOST_KEYS]
        return tuple(Span(self.quotables[i].start, self.quotables[i].end) for i in sorted(worth))

    def _needs_before(self, index: int) -> bool:
        fact, before = self.facts[index], self.facts[index - 1]
        return before.introduces if fact.kind != "sentence" else fact.dangles and before.kind == "sentence"

    def _start_of_list(self, index: int) -> int:
        """The first item of the list of an item, unless it is long: a single step says little."""
        start = index
        while start > 0 and self.facts[start - 1].kind == "item":
            start -= 1
        return start if sum(self.words[start:index]) <= _MOST else index

    def _end_of_block(self, first: int, last: int) -> int:
        """The end of the list, or of the block that the last sentence introduces."""
        end = last
        if self.facts[last].introduces and last + 1 < len(self.facts):
            end += 1
        while end + 1 < len(self.facts) and self.facts[end].kind == "item" and self.facts[end + 1].kind == "item":
            end += 1
        return end if sum(self.words[first : end + 1]) <= 2 * _MOST else last


def _holds(whole: Quotable, part: Quotable) -> bool:
    return whole != part and whole.start <= part.start and part.end <= whole.end


def _paragraphs(quotables: Sequence[Quotable], markdown: str) -> Iterator[list[Quotable]]:
    """Sentences of one paragraph together, items of one list together, a table or code by itself."""
    group: list[Quotable] = []
    for quotable in quotables:
        if group and not _together(group[-1], quotable, markdown):
            yield group
            group = []
        group.append(quotable)
    if group:
        yield group


def _together(one: Quotable, other: Quotable, markdown: str) -> bool:
    between = markdown[one.end : other.start]
    if one.kind == other.kind == "sentence":
        return not between.strip(" \n") and "\n\n" not in between
    return one.kind == other.kind == "item" and not between.strip()
