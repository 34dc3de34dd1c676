"""Questions in a conversation: its history goes in with the question, the answer is recorded."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from indexes.types import ANYONE, KEEPER, Filter, Viewer
from qa.answering import Answerer, Progress
from qa.audiences import may_see
from qa.errors import JournalUnavailable, UnknownAnswer, UnknownConversation
from qa.journal.records import AnswerRecord, Feedback
from qa.types import Answer, Question, Turn

log = logging.getLogger(__name__)

UNKEPT = "journal"  # in `Answer.degraded`: the answer was given, but could not be kept


@dataclass(frozen=True, slots=True)
class Exchange:
    """An answer and the conversation it belongs to."""

    conversation_id: str
    answer: Answer


class AnswerStore(Protocol):
    """Stores answers by conversation. Every method raises JournalUnavailable.

    A conversation belongs to its `owner`: for everybody else there is none. `""` is the owner of anonymous
    conversations: anyone who has the unguessable id can read one.
    """

    def record(self, conversation_id: str, answer: Answer, filter: Filter, owner: str) -> None:
        """Append an answer to its conversation."""

    def conversation(self, conversation_id: str, owner: str) -> tuple[AnswerRecord, ...]:
        """The answers of a conversation, oldest first. Raises UnknownConversation."""

    def answer(self, answer_id: str) -> AnswerRecord:
        """One answer, whoever asked. Raises UnknownAnswer."""

    def give_feedback(self, answer_id: str, feedback: Feedback, owner: str) -> None:
        """Store what the asker thought, in place of what they said before. Raises UnknownAnswer."""

    def delete(self, conversation_id: str, owner: str) -> None:
        """Delete a conversation, its answers and feedback, so that no file holds them. Raises UnknownConversation."""

    def purge(self, days: int) -> int:
        """Delete what was asked more than `days` days ago, likewise; returns how many answers that were."""

    def settle(self) -> None:
        """Move recorded answers from the write-ahead log into the file, so that no request waits for that."""


class Conversations:
    """Asks in conversations. An answer never fails because it cannot be recorded: it is marked degraded instead.

    A conversation belongs to its `owner`, the id of a principal; for everybody else it is unknown.
    """

    def __init__(self, answerer: Answerer, answers: AnswerStore, retention: int = 90) -> None:
        """`retention`: days after which what was asked is deleted."""
        self._answerer = answerer
        self._answers = answers
        self._retention = retention

    def ask(self, question: Question, conversation_id: str | None = None, owner: str = "") -> Exchange:
        """Answer in the conversation named, or in a new one. Raises UnknownConversation, UnknownTag."""
        return self.reply(self.prepare(question, conversation_id, owner), conversation_id, owner)

    def prepare(self, question: Question, conversation_id: str | None, owner: str = "") -> Question:
        """The question with the history of its conversation. Raises UnknownConversation."""
        if conversation_id is None:
            return question
        try:
            return replace(question, history=self.turns(conversation_id, owner, question.viewer))
        except JournalUnavailable as error:
            log.error("A follow-up is answered without its history: %s", error)
            return question

    def reply(self, question: Question, conversation_id: str | None = None, owner: str = "") -> Exchange:
        """Answer a prepared question and record the answer. Raises UnknownTag."""
        return self._recorded(self._answerer.ask(question), question, conversation_id, owner)

    def stream(
        self, question: Question, conversation_id: str | None = None, owner: str = ""
    ) -> Iterator[Progress | Exchange]:
        """`reply` while the answer is being written; the exchange comes last. Raises UnknownTag."""
        for progress in self._answerer.stream(question):
            if isinstance(progress, Answer):
                yield self._recorded(progress, question, conversation_id, owner)
            else:
                yield progress

    def _recorded(self, answer: Answer, question: Question, conversation_id: str | None, owner: str) -> Exchange:
        exchange = Exchange(conversation_id or uuid.uuid4().hex, answer)
        try:
            self._answers.record(exchange.conversation_id, exchange.answer, question.filter, owner)
        except JournalUnavailable as error:
            log.error("An answer was given but not kept: %s", error)
            return replace(exchange, answer=replace(answer, degraded=(*answer.degraded, UNKEPT)))
        return exchange

    def turns(self, conversation_id: str, owner: str = "", viewer: Viewer = ANYONE) -> tuple[Turn, ...]:
        """The turns so far that `viewer` may read, oldest first. Raises UnknownConversation, JournalUnavailable."""
        answers = [record.answer for record in self.records(conversation_id, owner, viewer)]
        return tuple(
            turn
            for answer in answers
            for turn in (Turn("user", answer.question), Turn("assistant", answer.text, answer.kind))
        )

    def records(self, conversation_id: str, owner: str = "", viewer: Viewer = ANYONE) -> tuple[AnswerRecord, ...]:
        """The answers of a conversation that `viewer` may read, oldest first.

        Raises UnknownConversation, also where they may read none, and JournalUnavailable.
        """
        records = self._answers.conversation(conversation_id, owner)
        readable = tuple(record for record in records if self._readable(record, viewer))
        if not readable:
            raise UnknownConversation
        return readable

    def answer(self, answer_id: str, viewer: Viewer = ANYONE) -> AnswerRecord:
        """One answer, whoever asked: its id is for sharing with those who may read what it quotes.

        Raises UnknownAnswer, JournalUnavailable.
        """
        record = self._answers.answer(answer_id)
        if not self._readable(record, viewer):
            raise UnknownAnswer
        return record

    def give_feedback(self, answer_id: str, feedback: Feedback, owner: str = "") -> None:
        """Record what the asker thought of an answer. Raises UnknownAnswer, JournalUnavailable."""
        self._answers.give_feedback(answer_id, feedback, owner)

    def _readable(self, record: AnswerRecord, viewer: Viewer) -> bool:
        """Whether every article it shows was, and still is, for `viewer`."""
        answer = record.answer
        quoted = [citation.article_id for citation in (*answer.citations, *answer.closest)]
        named = [section.article_id for section in answer.elsewhere] + [near.article_id for near in answer.related]
        shown = {*quoted, *named}
        return may_see(viewer, answer.audiences, shown, self._answerer.corpus(KEEPER))

    def delete(self, conversation_id: str, owner: str = "") -> None:
        """Delete a conversation for good. Raises UnknownConversation, JournalUnavailable."""
        self._answers.delete(conversation_id, owner)

    def settle(self) -> None:
        """Bring what was recorded to its place. Raises JournalUnavailable."""
        self._answers.settle()

    def forget(self) -> int:
        """Delete what is older than the retention allows; returns how many answers that were.

        Raises JournalUnavailable.
        """
        return self._answers.purge(self._retention)
