"""Events: somebody mentions the bot in a channel, or writes to it directly, and is answered in the thread."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from web.slack import messages
from web.slack.answering import Answering
from web.slack.asking import SlackQuestion, asked
from web.slack.commands import help_for
from web.slack.messages import MORE, Message, said
from web.slack.payloads import field
from web.slack.sending import Channels
from web.slack.worker import Job, JobWorker

_SPOKEN = ("", "file_share", "thread_broadcast")  # subtypes of messages in which a person says something

# Slack tries again immediately, after a minute and after five: https://docs.slack.dev/apis/events-api#retries
REMEMBERED = 3_600  # seconds

_SHARED = said(
    "I do not answer in channels that are shared with other organisations. Ask me with /ask: only you see the answer."
)


class SeenEvents(Protocol):
    def first(self, key: str) -> bool:
        """Whether an event was not seen lately; from now on it was."""


@dataclass(frozen=True, slots=True)
class Events:
    """`seen` remembers events for `REMEMBERED` seconds, `secret` makes the ids of conversations."""

    answering: Answering
    worker: JobWorker
    channels: Channels
    seen: SeenEvents
    secret: str

    def receive(self, payload: Mapping[str, Any]) -> None:
        """Have an event answered, once, if it asks something."""
        event = payload.get("event")
        if not isinstance(event, Mapping) or not self.seen.first(f"event {field(payload, 'event_id')}"):
            return
        bot = _bot(payload)
        channel, moment = field(event, "channel"), field(event, "ts")
        if not _asks(event, bot) or not self.seen.first(f"message {channel} {moment}"):
            return
        thread = field(event, "thread_ts") or moment
        post = partial(self.channels.post, channel, thread)
        conversation_id = self.conversation_id(field(payload, "team_id"), channel, thread)
        question = asked(field(event, "text"), bot)
        shared = bool(payload.get("is_ext_shared_channel"))
        self.worker.offer_or_tell(Job(partial(self._answer, question, conversation_id, shared), post, post))

    def conversation_id(self, team: str, channel: str, thread: str) -> str:
        """The same for a thread for ever, and nobody else can guess it: it is the right to read the conversation."""
        place = f"{team} {channel} {thread}".encode()
        return hmac.new(self.secret.encode(), place, hashlib.sha256).hexdigest()[:32]

    def _answer(self, question: SlackQuestion, conversation_id: str, shared: bool) -> Message:
        """`shared`: people of another organisation would read it too."""
        if shared:
            return _SHARED
        if question.for_help:
            return help_for("/ask")
        if question.wrong:
            return said(question.wrong)
        answer = self.answering.ask(question, conversation_id)
        return messages.answered(answer, self.answering.snapshot(), self.answering.links, buttons=(MORE,))


def _bot(payload: Mapping[str, Any]) -> str:
    """The user id of the bot that this event was sent to; "" if it is not told."""
    authorizations = payload.get("authorizations")
    if isinstance(authorizations, list) and authorizations and isinstance(authorizations[0], Mapping):
        return field(authorizations[0], "user_id")
    return ""


def _asks(event: Mapping[str, Any], bot: str) -> bool:
    """Whether a person asks: not a bot, not this one, no edit, no joining or leaving."""
    kind = field(event, "type")
    if kind != "app_mention" and not (kind == "message" and field(event, "channel_type") == "im"):
        return False
    if any(event.get(name) for name in ("bot_id", "bot_profile", "app_id", "edited", "hidden")):
        return False
    if event.get("subtype", "") not in _SPOKEN:
        return False
    return field(event, "user") not in ("", bot) and bool(field(event, "channel") and field(event, "ts"))
