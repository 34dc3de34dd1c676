"""Events: mentions of the bot and direct messages, answered in their thread."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from web.slack.answer_messages import MORE, answer_message
from web.slack.answering import Answering
from web.slack.asking import SlackQuestion, parse_question
from web.slack.commands import help_for
from web.slack.messages import Message, plain_message
from web.slack.payloads import field
from web.slack.sending import Channels
from web.slack.worker import Job, JobWorker

_TYPED = ("", "file_share", "thread_broadcast")  # subtypes of messages that a person typed

# Slack retries immediately, after a minute and after five: https://docs.slack.dev/apis/events-api#retries
REMEMBERED = 3_600  # seconds; well beyond the last retry

_SHARED = plain_message(
    "I do not answer in channels that are shared with other organisations. Ask me with /ask: only you see the answer."
)


class SeenEvents(Protocol):
    def first(self, key: str) -> bool:
        """Whether an event was not seen lately; from now on it was."""


@dataclass(frozen=True, slots=True)
class Events:
    """`seen` remembers events for `REMEMBERED` seconds; conversation ids are derived from `secret`."""

    answering: Answering
    worker: JobWorker
    channels: Channels
    seen: SeenEvents
    secret: str

    def receive(self, payload: Mapping[str, Any]) -> None:
        """Queues an answer to the event, once, if it is a question."""
        event = payload.get("event")
        if not isinstance(event, Mapping) or not self.seen.first(f"event {field(payload, 'event_id')}"):
            return
        bot = _bot_id(payload)
        channel, timestamp = field(event, "channel"), field(event, "ts")
        if not _is_question(event, bot) or not self.seen.first(f"message {channel} {timestamp}"):
            return
        thread = field(event, "thread_ts") or timestamp
        post = partial(self.channels.post, channel, thread)
        conversation_id = self.conversation_id(field(payload, "team_id"), channel, thread)
        question = parse_question(field(event, "text"), bot)
        shared = bool(payload.get("is_ext_shared_channel"))
        self.worker.offer_or_tell(Job(partial(self._answer, question, conversation_id, shared), post, post))

    def conversation_id(self, team: str, channel: str, thread: str) -> str:
        """Always the same for a thread, and not guessable: whoever knows it may read the conversation."""
        key = f"{team} {channel} {thread}".encode()
        return hmac.new(self.secret.encode(), key, hashlib.sha256).hexdigest()[:32]

    def _answer(self, question: SlackQuestion, conversation_id: str, shared: bool) -> Message:
        """`shared`: people of another organisation would see the answer too."""
        if shared:
            return _SHARED
        if question.asks_for_help:
            return help_for("/ask")
        if question.problem:
            return plain_message(question.problem)
        answer = self.answering.ask(question, conversation_id)
        return answer_message(answer, self.answering.corpus(), self.answering.links, buttons=(MORE,))


def _bot_id(payload: Mapping[str, Any]) -> str:
    """The user id of the bot that the event was sent to; "" if it is missing."""
    authorizations = payload.get("authorizations")
    if isinstance(authorizations, list) and authorizations and isinstance(authorizations[0], Mapping):
        return field(authorizations[0], "user_id")
    return ""


def _is_question(event: Mapping[str, Any], bot: str) -> bool:
    """Whether a person wrote the message: no bot, no edit, no joining or leaving."""
    kind = field(event, "type")
    if kind != "app_mention" and not (kind == "message" and field(event, "channel_type") == "im"):
        return False
    if any(event.get(name) for name in ("bot_id", "bot_profile", "app_id", "edited", "hidden")):
        return False
    if event.get("subtype", "") not in _TYPED:
        return False
    return field(event, "user") not in ("", bot) and bool(field(event, "channel") and field(event, "ts"))
