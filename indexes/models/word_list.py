"""How words are spelt, by the bundled model's vocabulary: 30,000 pieces, most of them English words."""

from __future__ import annotations

from functools import cached_property

from tokenizers import Tokenizer

from indexes.models.finding import bundled_folder

_ENDINGS = frozenset(("s", "es", "ed", "d", "ing", "er", "ers", "ly", "able", "ment", "ness", "less", "ful", "ally"))
_SHORTEST = 3  # letters of what an ending may follow


class WordList:
    """Loaded when it is first asked: most questions have no word that needs it."""

    def is_word(self, word: str) -> bool:
        """Whether `word`, in lower case, is a common English word, or one with a common ending."""
        pieces = self._tokenizer.encode(word, add_special_tokens=False).tokens
        if len(pieces) == 1:
            return True
        return len(pieces) == 2 and len(pieces[0]) >= _SHORTEST and pieces[1].removeprefix("##") in _ENDINGS

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        tokenizer = Tokenizer.from_file(str(bundled_folder() / "tokenizer.json"))
        tokenizer.no_padding()
        return tokenizer
