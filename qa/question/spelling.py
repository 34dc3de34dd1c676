"""Mends typing errors: a word that is none, and that no article has, becomes the nearest one that some article has."""

from __future__ import annotations

import re
from collections import Counter
from typing import Protocol

from rapidfuzz.distance import OSA

from indexes.search.analysis import STOP_WORDS, terms
from qa.corpus import Corpus

# Written like a word: a name with a capital, a digit or a dot in it may be new to the knowledge base, and right.
_WORD = re.compile(r"(?<![\w./@:-])[a-z]{4,30}(?![\w/@:]|\.\w)")
_LONG = 9  # letters from which a word may have two errors
_LOOKED_AT = 8  # near terms
_SHORTEST_STEM, _LONGEST_ENDING = 4, 5  # letters
_CHUNKS = 3  # that show how a term is written


class KnownWords(Protocol):
    """Knows how words are spelt, whether an article has them or not."""

    def is_word(self, word: str) -> bool: ...


class Speller:
    """Mends questions."""

    def __init__(self, words: KnownWords) -> None:
        self._words = words

    def mended(self, question: str, corpus: Corpus) -> str:
        """The question with its misspelt words replaced by near ones that occur; as it is where none is near."""
        return _WORD.sub(lambda match: self._mended_word(match.group(), corpus), question)

    def _mended_word(self, word: str, corpus: Corpus) -> str:
        stems = terms(word)
        if word in STOP_WORDS or len(stems) != 1 or corpus.vocabulary.occurs(stems[0]):
            return word
        if self._words.is_word(word):
            return word
        errors = 2 if len(word) >= _LONG else 1
        written = [
            (OSA.distance(word, form), -count, form)
            for stem in _near_stems(word, corpus)
            for form, count in _forms(stem, corpus).items()
        ]
        closest = min(written, default=(errors + 1, 0, word))
        return closest[2] if closest[0] <= errors else word


def _near_stems(word: str, corpus: Corpus) -> list[str]:
    """Terms near the word or its beginning: what is stored of a word may lack its ending."""
    shortest = max(_SHORTEST_STEM, len(word) - _LONGEST_ENDING)
    near = [corpus.vocabulary.near(word[:length], 2, _LOOKED_AT) for length in range(len(word), shortest - 1, -1)]
    return list(dict.fromkeys(stem for stems in near for stem in stems))


def _forms(stem: str, corpus: Corpus) -> Counter[str]:
    """The words of a term as articles write them."""
    hits = corpus.keyword_hits({stem: 1.0}, _CHUNKS)
    text = " ".join(entry.text for entry in corpus.chunks([hit.chunk for hit in hits]))
    begins = stem[: _SHORTEST_STEM - 1]  # looked at first: the terms of every word take ten times as long
    words = (word for word in re.findall(r"[a-z]+", text.casefold()) if word.startswith(begins))
    return Counter(word for word in words if terms(word) == [stem])
