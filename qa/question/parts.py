"""Splits a question that asks for several things: "What is X and how do I configure Y?"."""

from __future__ import annotations

import re

from indexes.search.analysis import informative_terms

_MOST = 4  # parts, each a retrieval of its own; further ones stay joined to the last
_OPENER = r"(?:what|how|which|when|where|why|who|whose|should|can|could|do|does|did|is|are|was|were|will|would)\b"
# The boundary of two questions: after a question mark or semicolon, or an "and" before a question word.
_BOUNDARY = re.compile(
    rf"(?<=[?;])\s++(?:(?:and|also|but|then)\b,?\s++)?"
    rf"|(?:,|(?<![\s,]))\s++(?:and|but)\s++(?:also\s++|then\s++)?(?={_OPENER})|,\s++(?={_OPENER})",
    re.IGNORECASE,
)
_COMPLETE = 3  # informative words that make a piece a question of its own even without a verb of `_VERB`
_VERB = re.compile(
    r"\b(?:is|are|was|were|do|does|did|can|could|should|would|will|must|has|have)\b|['’]s\b", re.IGNORECASE
)
_ASKS = re.compile(rf"^\W*(?:(?:and|also|but|then|so)\s+)?{_OPENER}|\?[^\w?]*$", re.IGNORECASE)


def parts_of(question: str) -> tuple[str, ...]:
    """The parts in order, each a question; `(question,)` for one that asks a single thing.

    A part without an informative word ("and why?") stays with the part before it, a sentence that only gives context
    with the part after it.
    """
    parts: list[str] = []
    start = 0
    for boundary in _BOUNDARY.finditer(question):
        piece, rest = question[start : boundary.start()], question[boundary.end() :]
        if len(parts) == _MOST - 1 or not (_is_question(piece) and _is_question(rest) and _is_complete(piece)):
            continue
        parts.append(piece.strip(" ;,"))
        start = boundary.end()
    parts.append(question[start:].strip())
    return tuple(parts) if len(parts) > 1 else (question,)


def _is_question(piece: str) -> bool:
    return bool(_ASKS.search(piece)) and bool(informative_terms(piece))


def _is_complete(piece: str) -> bool:
    """Whether a piece is a full question; "how much memory" of "how much memory and how many threads" is not."""
    return bool(_VERB.search(piece)) or len(informative_terms(piece)) >= _COMPLETE
