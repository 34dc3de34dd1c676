"""What is asked in a text typed in Slack?"""

from __future__ import annotations

import re
from dataclasses import dataclass

from qa.types import LONGEST_QUESTION

# Slack's editors turn straight quotes into typographic ones.
_TAG = re.compile(r"(?<!\S)tag:(?:[\"“”]([^\"“”]++)[\"“”]|([^\s\"“”]++))(?!\S)", re.IGNORECASE)
_SPECIAL = re.compile(r"<([^<>]*+)>")
_UNSPEAKABLE = re.compile("[\x00\ud800-\udfff]")
_MOST_TAGS = 20


@dataclass(frozen=True, slots=True)
class SlackQuestion:
    """A question and the tags its articles must have one of."""

    text: str
    tags: tuple[str, ...]

    @property
    def for_help(self) -> bool:
        return not self.tags and self.text.casefold().strip("?!. ") in ("", "help")

    @property
    def wrong(self) -> str:
        """What keeps it from being asked; "" for nothing."""
        if not self.text:
            return "That is a tag without a question: add what you want to know."
        if len(self.text) > LONGEST_QUESTION:
            return f"This question is too long: please keep it under {LONGEST_QUESTION:,} characters."
        return f"At most {_MOST_TAGS} tags, please." if len(self.tags) > _MOST_TAGS else ""


def asked(text: str, bot: str = "") -> SlackQuestion:
    """Reads `tag:kubernetes tag:"two words" the question`, as Slack sends it. `bot` is the user id of the bot."""
    typed = plain(text, bot)
    tags = tuple(dict.fromkeys(" ".join((quoted or bare).split()) for quoted, bare in _TAG.findall(typed)))
    return SlackQuestion(" ".join(_TAG.sub(" ", typed).split()), tuple(tag for tag in tags if tag))


def plain(text: str, bot: str = "") -> str:
    """A text without Slack's markup: mentions, channels and links as they are read, and the bot's own name left out."""

    def read(special: re.Match[str]) -> str:
        target, _, label = special[1].partition("|")
        if target.startswith("@"):
            return "" if target[1:] == bot else f"@{label or 'someone'}"
        if target.startswith("#"):
            return f"#{label or 'channel'}"
        if target.startswith("!"):
            return label or f"@{target[1:].partition('^')[0]}"
        return label or target.removeprefix("mailto:")

    words = _SPECIAL.sub(read, _UNSPEAKABLE.sub("\ufffd", text))
    return words.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()
