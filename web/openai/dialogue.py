"""Reads the messages and model name of a chat client as a question, its history and tags."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from indexes.types import Filter
from qa.corpus import Corpus
from qa.errors import UnknownTag
from qa.filters import known_filter
from qa.types import LONGEST_QUESTION, Turn
from web.middleware.openai_errors import Refusal
from web.openai.completions import MODEL, CompletionIn, MessageIn

# More never matters: a follow-up is read with at most three turns before it (qa/question/follow_ups.py).
_LATEST = 50  # earlier turns
_LONGEST = 20_000  # characters of an earlier turn
_LINKED_MARK = re.compile(r"\[(\d+)\]\([^()\s]*\)")


def question_and_history(messages: Sequence[MessageIn]) -> tuple[str, tuple[Turn, ...]]:
    """The last user message, and the turns before it, oldest first. Raises Refusal.

    System messages are ignored: they are instructions to a model, and there is none.
    """
    dialogue = [message for message in messages if message.role in ("user", "assistant")]
    last = max((index for index, message in enumerate(dialogue) if message.role == "user"), default=None)
    if last is None:
        raise Refusal(400, "There is no question: send a message with the role user.", "messages")
    question = dialogue[last].text
    if not question:
        raise Refusal(400, "The last user message is empty: ask something.", "messages")
    if len(question) > LONGEST_QUESTION:
        raise Refusal(
            400,
            f"The last user message is longer than {LONGEST_QUESTION} characters: ask a shorter question.",
            "messages",
        )
    return question, _turns(dialogue[:last])


def _turns(messages: Sequence[MessageIn]) -> tuple[Turn, ...]:
    """Earlier messages as turns; consecutive ones of the same side are one turn."""
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


def filter_of(corpus: Corpus, body: CompletionIn) -> Filter:
    """The filter by the tags that a request names, in `model` or in `tags`. Raises Refusal."""
    if body.tags:
        try:
            return known_filter(corpus, Filter(tuple(body.tags), body.tag_mode))
        except UnknownTag as error:
            raise Refusal(400, str(error), "tags") from error
    return Filter(tags_of_model(corpus, body.model), body.tag_mode)


def tags_of_model(corpus: Corpus, model: str) -> tuple[str, ...]:
    """The tags in the name of a model, spelled as stored. Raises Refusal."""
    base, colon, rest = model.partition(":")
    if base != MODEL or bool(colon) != bool(rest.strip()):
        raise _no_model(f"There is no model of this name: take {MODEL}, or {MODEL}:TAG.")
    if not rest:
        return ()
    single = corpus.articles.tag_name(rest.strip())  # the name of a tag may contain a comma
    if single is not None:
        return (single,)
    tags = tuple(tag.strip() for tag in rest.split(",") if tag.strip())
    try:
        return known_filter(corpus, Filter(tags)).tags
    except UnknownTag as error:
        raise _no_model(str(error)) from error


def _no_model(message: str) -> Refusal:
    return Refusal(404, f"{message} All models: GET /v1/models.", "model", "model_not_found")
