"""Replies to greetings, thanks and goodbyes without a search."""

from __future__ import annotations

import re

_END = (
    r"(?:[\s,!.…]+(?:there|all|team|everyone|footnote|again|a lot|so much|very much|for (?:your|the) help|in advance))*"
    r"[\s!.…)(:;-]*$"
)
_GREETING = re.compile(
    r"^\W*(?:hi|hiya|hello|hey|howdy|greetings|good (?:morning|afternoon|evening|day))" + _END, re.IGNORECASE
)
_THANKS = re.compile(
    r"^\W*(?:many )?(?:thanks|thank you|thx|ty|cheers|great|perfect|awesome|nice|got it|that helps?)" + _END,
    re.IGNORECASE,
)
_FAREWELL = re.compile(r"^\W*(?:bye|goodbye|see you|good night)" + _END, re.IGNORECASE)
_WHAT_ARE_YOU = re.compile(
    r"^\W*(?:help|who are you|what are you|what can you do|what can i ask(?: you)?|how do you work|what do you know)"
    r"[\s?!.]*$",
    re.IGNORECASE,
)


def courtesy(text: str, articles: int) -> str:
    """The reply to a text that only greets, thanks, says goodbye or asks what this is; "" for a question."""
    if _GREETING.match(text):
        return f"Hello. Ask me a question: I answer from {articles} articles and cite every sentence."
    if _THANKS.match(text):
        return "You are welcome."
    if _FAREWELL.match(text):
        return "Goodbye."
    if _WHAT_ARE_YOU.match(text):
        return (
            f"I answer questions from {articles} articles. Every sentence of an answer is quoted from an article and "
            "footnoted; when the articles do not say, I say so."
        )
    return ""
