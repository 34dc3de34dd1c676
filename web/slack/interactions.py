"""Button presses: share an answer, show more of it, give feedback.

A button carries the ids of its answer and of the user who shared it; the answer is read from the journal again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from qa.journal.records import Feedback
from web.rendering import answer_view
from web.slack.answer_messages import (
    HELPFUL,
    MISSING,
    MORE,
    NOT_HELPFUL,
    REASON,
    SHARE,
    answer_message,
    reasons_message,
)
from web.slack.answering import Answering
from web.slack.messages import Message, plain_message
from web.slack.payloads import field
from web.slack.sending import ResponseType, ResponseUrls, require_slack
from web.slack.worker import Job, JobWorker

ONCE = 10  # seconds in which a second press on "Share to channel" counts as a double click

_USER = re.compile(r"[UW][A-Z0-9]{1,30}", re.ASCII)
_VALUE = re.compile(r"([0-9a-f]{1,64})(?: ([UW][A-Z0-9]{1,30}))?", re.ASCII)
_REASONS = {f"{REASON}{number}": reason for number, reason in enumerate(answer_view.REASONS)}
_THANKS = plain_message("Thank you.")
_NOTED = plain_message("Thank you, noted: the people who keep these articles will see it.")


@dataclass(frozen=True, slots=True)
class Press:
    """A press of an answer's button. `shared_by`: who shared the answer in the channel, "" for nobody."""

    action: str
    answer_id: str
    shared_by: str
    user: str
    channel: str
    url: str
    ephemeral: bool
    thread: str


class SeenPresses(Protocol):
    def first(self, key: str) -> bool:
        """Whether a press was not seen lately; from now on it was."""

    def forget(self, key: str) -> None:
        """As if the press had never been seen."""


@dataclass(frozen=True, slots=True)
class Interactions:
    """`seen` remembers shared answers for `ONCE` seconds."""

    answering: Answering
    worker: JobWorker
    response_urls: ResponseUrls
    seen: SeenPresses

    def receive(self, payload: Mapping[str, Any]) -> None:
        """Queues the work of the pressed button. Raises NotSlack."""
        press = _press(payload)
        if press is None:
            return
        require_slack(press.url)
        tell = partial(self.response_urls.send, press.url, replace=False, thread=press.thread)
        if press.action == SHARE:
            shared = f"{press.answer_id} {press.channel}"
            job = Job(partial(self._shared_answer, press), partial(self._share, press), tell)
            if self.seen.first(shared) and not self.worker.offer_or_tell(job):
                self.seen.forget(shared)
        elif press.action == MORE:
            kind: ResponseType = "ephemeral" if press.ephemeral else "in_channel"
            send = partial(self.response_urls.send, press.url, response_type=kind, replace=True)
            self.worker.offer_or_tell(Job(partial(self._answer_with_more, press), send, tell))
        elif press.action in _REASONS:
            send = partial(self.response_urls.send, press.url, replace=True)
            self.worker.offer_or_tell(Job(partial(self._record_feedback, press), send, tell))
        elif press.action in (HELPFUL, NOT_HELPFUL, MISSING):
            self.worker.offer_or_tell(Job(partial(self._record_feedback, press), tell, tell))

    def _shared_answer(self, press: Press) -> Message:
        answer = self.answering.record(press.answer_id).answer
        return answer_message(
            answer,
            self.answering.corpus(),
            self.answering.links,
            question=answer.question,
            shared_by=press.user,
            buttons=(MORE,),
        )

    def _share(self, press: Press, message: Message) -> None:
        """Posts the answer in the channel and removes the copy that only the asker sees."""
        self.response_urls.send(press.url, message, response_type="in_channel", replace=False)
        if press.ephemeral:
            self.response_urls.send(press.url, plain_message("Shared."), delete=True)

    def _answer_with_more(self, press: Press) -> Message:
        record = self.answering.record(press.answer_id)
        question = record.answer.question if press.ephemeral or press.shared_by else ""
        return answer_message(
            record.answer,
            self.answering.corpus(),
            self.answering.links,
            question=question,
            shared_by=press.shared_by,
            more=self.answering.more(record),
            buttons=(SHARE,) if press.ephemeral else (),
        )

    def _record_feedback(self, press: Press) -> Message:
        if press.action == HELPFUL:
            self.answering.judge(press.answer_id, Feedback(True))
            return _THANKS
        if press.action == NOT_HELPFUL:
            self.answering.judge(press.answer_id, Feedback(False))
            return reasons_message(press.answer_id)
        reason = _REASONS.get(press.action, answer_view.MISSING_TOPIC)
        self.answering.judge(press.answer_id, Feedback(False, reason))
        return _NOTED


def _press(payload: Mapping[str, Any]) -> Press | None:
    """The press of one of our buttons; None for anything else."""
    actions = payload.get("actions")
    if field(payload, "type") != "block_actions" or not isinstance(actions, list) or len(actions) != 1:
        return None
    action = actions[0] if isinstance(actions[0], Mapping) else {}
    value = _VALUE.fullmatch(field(action, "value"))
    user = field(payload, "user", "id")
    if not value or not _USER.fullmatch(user):
        return None
    container = payload.get("container")
    ephemeral = isinstance(container, Mapping) and container.get("is_ephemeral") is True
    return Press(
        field(action, "action_id"),
        value[1],
        value[2] or "",
        user,
        field(payload, "channel", "id"),
        field(payload, "response_url"),
        ephemeral,
        field(payload, "container", "thread_ts"),
    )
