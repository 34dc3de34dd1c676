"""What an answer leaves open: a part of the question without an answer, or a name that no article mentions."""

from __future__ import annotations

import re
from calendar import day_abbr, day_name, month_abbr, month_name
from collections.abc import Sequence

from indexes.search.analysis import terms
from qa.corpus import Vocabulary
from qa.types import REFUSAL

# A word written like a name: with a capital that does not only open a sentence, or with digits among its letters.
_WORD = re.compile(r"(?<![\w.-])[^\W_][\w+#]*(?:[.-][^\W_][\w+#]*)*")
_NAME = re.compile(r"^(?:[A-Z].*|[a-z]+[A-Z].*|(?=.*\d)(?=.*[A-Za-z]{2}).*)$")
_CALENDAR = frozenset([*day_name, *day_abbr, *month_name, *month_abbr]) - {
    ""
}  # when somebody asks says nothing of what
_OPENS = re.compile(r"(?:^|[.!?:;\n])\W*$")


def missing_notes(unanswered: Sequence[str], unknown: Sequence[str]) -> tuple[str, ...]:
    """Sentences that say so: one for each part of a question in `unanswered`, one for the names never mentioned."""
    notes = [f"{REFUSAL[:-1]}: {part.rstrip(' ?.!')}?" for part in unanswered]
    left = [name for name in unknown if not any(name in part for part in unanswered)]
    if left:
        notes.append(f"The knowledge base does not mention {' or '.join(left)}.")
    return tuple(notes)


def unmentioned(question: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """The names in `question` that occur in no article, in order."""
    found = (match for match in _WORD.finditer(question) if _named(question, match))
    return tuple(dict.fromkeys(match.group() for match in found if not _occurs(match.group(), vocabulary)))


def _named(question: str, match: re.Match[str]) -> bool:
    word = match.group()
    if len(word) < 2 or word in _CALENDAR or not _NAME.match(word):
        return False
    return not (word[1:].islower() and _OPENS.search(question[: match.start()]))


def _occurs(name: str, vocabulary: Vocabulary) -> bool:
    return any(vocabulary.occurs(term) for term in terms(name))
