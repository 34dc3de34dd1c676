"""The parts of a question that asks for more than one thing: "What is X and how do I configure Y?"."""

from __future__ import annotations

import re

from indexes.search.analysis import informative_terms

_MOST = 4  # parts; what is asked beyond them stays with the last
_OPENER = r"(?:what|how|which|when|where|why|who|whose|should|can|could|do|does|did|is|are|was|were|will|would)\b"
# Where one question ends and the next begins: after a question mark or semicolon, or at an "and" before an opener.
_BETWEEN = re.compile(
    rf"(?<=[?;])\s++(?:(?:and|also|but|then)\b,?\s++)?"
    rf"|(?:,|(?<![\s,]))\s++(?:and|but)\s++(?:also\s++|then\s++)?(?={_OPENER})|,\s++(?={_OPENER})",
    re.IGNORECASE,
)
_SAYS_ENOUGH = 3  # informative words with which a piece is taken for a question even without a verb we know
_VERB = re.compile(
    r"\b(?:is|are|was|were|do|does|did|can|could|should|would|will|must|has|have)\b|['’]s\b", re.IGNORECASE
)
_ASKS = re.compile(rf"^\W*(?:(?:and|also|but|then|so)\s+)?{_OPENER}|\?[^\w?]*$", re.IGNORECASE)


def parts_of(question: str) -> tuple[str, ...]:
    """The parts in order, each a question; `(question,)` for one that asks a single thing.

    A part without an informative word of its own ("and why?") stays with the part before it, and so does a sentence
    that only sets the scene.
    """
    found: list[str] = []
    place = 0
    for between in _BETWEEN.finditer(question):
        piece, rest = question[place : between.start()], question[between.end() :]
        if len(found) == _MOST - 1 or not (_asks(piece) and _asks(rest) and _whole(piece)):
            continue
        found.append(piece.strip(" ;,"))
        place = between.end()
    found.append(question[place:].strip())
    return tuple(found) if len(found) > 1 else (question,)


def _asks(piece: str) -> bool:
    return bool(_ASKS.search(piece)) and bool(informative_terms(piece))


def _whole(piece: str) -> bool:
    """Not the beginning of one that goes on: in "how much memory and how many threads does X need" the verb is last."""
    return bool(_VERB.search(piece)) or len(informative_terms(piece)) >= _SAYS_ENOUGH
