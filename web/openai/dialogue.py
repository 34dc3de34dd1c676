"""What do the messages of a chat client ask, of which articles?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from indexes.snapshots.snapshot import Snapshot
from indexes.types import Filter
from qa.errors import UnknownTag
from qa.filters import known_filter
from qa.types import LONGEST_QUESTION, Turn
from web.middleware.openai_errors import Refusal
from web.openai.completions import MODEL, CompletionIn, MessageIn

_LATEST = 50  # earlier turns that are read
_LONGEST = 20_000  # characters of an earlier turn that are read
_LINKED_MARK = re.compile(r"\[(\d+)\]\([^()\s]*\)")


def asked(messages: Sequence[MessageIn]) -> tuple[str, tuple[Turn, ...]]:
    """The last thing that the user said, and the turns before it, oldest first. Raises Refusal.

    What the system says is for a model to obey: there is none.
    """
    said = [message for message in messages if message.role in ("user", "assistant")]
    last = max((place for place, message in enumerate(said) if message.role == "user"), default=None)
    if last is None:
        raise Refusal(400, "There is no question: send a message with the role user.", "messages")
    question = said[last].text
    if not question:
        raise Refusal(400, "The last user message is empty: ask something.", "messages")
    if len(question) > LONGEST_QUESTION:
        raise Refusal(
            400,
            f"The last user message is longer than {LONGEST_QUESTION} characters: ask a shorter question.",
            "messages",
        )
    return question, _turns(said[:last])


def _turns(messages: Sequence[MessageIn]) -> tuple[Turn, ...]:
    """Earlier messages, those that follow each other from one side as one turn."""
    turns: list[Turn] = []
    for role, run in groupby(messages, key=lambda message: message.role):
        text = "\n\n".join(message.text for message in run if message.text)
        if text and role == "user":
            turns.append(Turn("user", text[:_LONGEST]))
        elif text:
            turns.append(Turn("assistant", _LINKED_MARK.sub(r"[\1]", text[:_LONGEST])))
    return tuple(turns[-_LATEST:])


def model_of(filter: Filter) -> str:
    """The name of the model that answers from articles with these tags."""
    return f"{MODEL}:{','.join(filter.tags)}" if filter.tags else MODEL


def chosen(snapshot: Snapshot, body: CompletionIn) -> Filter:
    """The tags that a request names, in the model or beside it. Raises Refusal."""
    if body.tags:
        try:
            return known_filter(snapshot, Filter(tuple(body.tags), body.tag_mode))
        except UnknownTag as error:
            raise Refusal(400, str(error), "tags") from error
    return Filter(named(snapshot, body.model), body.tag_mode)


def named(snapshot: Snapshot, model: str) -> tuple[str, ...]:
    """The tags in the name of a model, as they are stored. Raises Refusal."""
    base, colon, rest = model.partition(":")
    if base != MODEL or bool(colon) != bool(rest.strip()):
        raise _no_model(f"There is no model of this name: take {MODEL}, or {MODEL}:TAG.")
    if not rest:
        return ()
    whole = snapshot.articles.tag_name(rest.strip())  # the name of a tag may contain a comma
    if whole is not None:
        return (whole,)
    tags = tuple(tag.strip() for tag in rest.split(",") if tag.strip())
    try:
        return known_filter(snapshot, Filter(tags)).tags
    except UnknownTag as error:
        raise _no_model(str(error)) from error


def _no_model(said: str) -> Refusal:
    return Refusal(404, f"{said} All models: GET /v1/models.", "model", "model_not_found")
