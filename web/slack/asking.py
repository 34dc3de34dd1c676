"""Reads a question and its tags from a text typed in Slack."""

from __future__ import annotations

import re
from dataclasses import dataclass

from qa.types import LONGEST_QUESTION

# Slack's editors turn straight quotes into typographic ones.
_TAG = re.compile(r"(?<!\S)tag:(?:[\"“”]([^\"“”]++)[\"“”]|([^\s\"“”]++))(?!\S)", re.IGNORECASE)
_SPECIAL = re.compile(r"<([^<>]*+)>")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # NUL and lone surrogates
_MOST_TAGS = 20


@dataclass(frozen=True, slots=True)
class SlackQuestion:
    """A question with tags; its articles must have one of them."""

    text: str
    tags: tuple[str, ...]

    @property
    def asks_for_help(self) -> bool:
        return not self.tags and self.text.casefold().strip("?!. ") in ("", "help")

    @property
    def problem(self) -> str:
        """Why it cannot be asked; "" if it can."""
        if not self.text:
            return "That is a tag without a question: add what you want to know."
        if len(self.text) > LONGEST_QUESTION:
            return f"This question is too long: please keep it under {LONGEST_QUESTION:,} characters."
        return f"At most {_MOST_TAGS} tags, please." if len(self.tags) > _MOST_TAGS else ""


def parse_question(text: str, bot: str = "") -> SlackQuestion:
    """Reads `tag:kubernetes tag:"two words" the question`, as Slack sends it. `bot` is the user id of the bot."""
    typed = without_markup(text, bot)
    tags = tuple(dict.fromkeys(" ".join((quoted or bare).split()) for quoted, bare in _TAG.findall(typed)))
    return SlackQuestion(" ".join(_TAG.sub(" ", typed).split()), tuple(tag for tag in tags if tag))


def without_markup(text: str, bot: str = "") -> str:
    """A text without Slack's markup: mentions, channels and links as they read, and without the bot's own name."""

    def as_read(special: re.Match[str]) -> str:
        target, _, label = special[1].partition("|")
        if target.startswith("@"):
            return "" if target[1:] == bot else f"@{label or 'someone'}"
        if target.startswith("#"):
            return f"#{label or 'channel'}"
        if target.startswith("!"):
            return label or f"@{target[1:].partition('^')[0]}"
        return label or target.removeprefix("mailto:")

    words = _SPECIAL.sub(as_read, _UNSTORABLE.sub("\ufffd", text))
    return words.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()
