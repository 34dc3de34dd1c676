"""Features of a passage's quotables that do not depend on the question, computed once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from indexes.search.analysis import terms
from indexes.types import Quotable, QuotableKind
from qa.types import Passage

_REMEMBERED = 2_000  # passages; some 5 kB each
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
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class QuotableFeatures:
    """Features of one quotable. `words`: its terms, and those of the sentence that introduces it."""

    kind: QuotableKind
    words: frozenset[str]
    introduces: bool  # it comes with the block that follows it
    dangles: bool  # it points back to what stands before it
    elsewhere: bool  # a sentence that only points to another place
    amount: bool  # a sentence with a number in it


def quotable_features(passage: Passage) -> tuple[QuotableFeatures, ...]:
    """The features of each quotable of a passage, in order."""
    quotables = passage.quotables
    if not quotables:
        return ()
    start, end = min(q.start for q in quotables), max(q.end for q in quotables)
    # Keyed by the text and not by its place: valid in every snapshot and for every viewer.
    return _spans(passage.article.markdown[start:end], start, quotables)


@lru_cache(maxsize=_REMEMBERED)
def _spans(text: str, offset: int, quotables: tuple[Quotable, ...]) -> tuple[QuotableFeatures, ...]:
    texts = [text[q.start - offset : q.end - offset] for q in quotables]
    return tuple(_span(quotables, texts, index) for index in range(len(quotables)))


def _span(quotables: Sequence[Quotable], texts: Sequence[str], index: int) -> QuotableFeatures:
    kind, text = quotables[index].kind, texts[index]
    sentence = kind == "sentence"
    introduced = index and not sentence and quotables[index - 1].kind == "sentence" and _introduces(texts[index - 1])
    return QuotableFeatures(
        kind=kind,
        words=frozenset(terms(f"{texts[index - 1]} {text}" if introduced else text)),
        introduces=_introduces(text),
        dangles=sentence and bool(_DANGLING.match(text)),
        elsewhere=sentence and bool(_ELSEWHERE.search(text)),
        amount=sentence and bool(_DIGIT.search(text)),
    )


def _introduces(text: str) -> bool:
    return text.rstrip("*_ ").endswith(":")
