"""Text to index terms: the same for articles and for questions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import Stemmer

# Names whose punctuation is the name come first; then runs of letters and digits.
_WORD = re.compile(r"\b[cC]\+\+|\b[cCfF]#|\.NET\b|(?<!\w)\.[nN]et\b|[^\W_]+(?:['’](?:s|t|re|ve|ll|d|m)\b)?")
_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_CLITIC = re.compile(r"['’].*$")
_LONGEST = 40  # longer runs are keys, hashes and base64, never words people ask for
_LONGEST_WRITTEN = _LONGEST + len("'re")

STOP_WORDS = frozenset(
    """
    a about after all also am an and any are as at be because been before being between both but by can could did do
    does doing don doesn didn isn aren wasn won wouldn shouldn couldn for from get gets getting give had has have
    having he her here hers him his how however i if in into is it its itself just let ll like may me might mine
    more most much must my need needs no nor not of off on once one only or other our ours out over own please same
    shall she should so some such t than that the their theirs them then there these they this those through to too
    under until up upon us use used using ve very was way we were what when where whether which while who whom whose
    why will with within without would yes you your yours s re d m tell explain want know anyone someone something
    thing things really
    """.split()
)

_stemmer = Stemmer.Stemmer("english")


@lru_cache(maxsize=200_000)
def _stem(word: str) -> str:
    return str(_stemmer.stemWord(word))


def _words(text: str) -> Iterator[str]:
    for match in _WORD.finditer(text):
        word = _CLITIC.sub("", match.group())
        if len(word) <= _LONGEST:
            yield word


def _parts(word: str) -> list[str]:
    """The parts of a camel-case name: `maxLifetime` is found by "max lifetime" too."""
    if word.islower() or word.isupper() or word.isdigit() or not (word.isascii() and word.isalnum()):
        return []
    parts = _CAMEL.findall(word)
    return parts if len(parts) > 1 else []


@lru_cache(maxsize=200_000)
def _terms_of(word: str) -> tuple[str, ...]:
    return tuple(_stem(term.casefold()) for whole in _words(word) for term in (whole, *_parts(whole)))


def terms(text: str) -> list[str]:
    """Every index term of `text`, in order, stop words included (a question decides what to ignore)."""
    return [term for word in _WORD.findall(text) if len(word) <= _LONGEST_WRITTEN for term in _terms_of(word)]


@lru_cache(maxsize=10_000)
def distinct_terms(text: str) -> frozenset[str]:
    """`terms` without order or repetition. The spans of popular articles are asked for with every question."""
    return frozenset(terms(text))


def informative_terms(text: str) -> list[str]:
    """The distinct terms of a question that say what it is about, in order; `[]` when it has none."""
    return list(_informative(text))


@lru_cache(maxsize=1_000)  # each stage of an answer asks for those of the same question
def _informative(text: str) -> tuple[str, ...]:
    stems: dict[str, None] = {}
    for word in _words(text):
        folded = word.casefold()
        if folded not in STOP_WORDS:
            stems[_stem(folded)] = None
    return tuple(stems)
