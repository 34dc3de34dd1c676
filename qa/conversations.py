"""Questions in a conversation: its history goes in with the question, the answer is kept."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace

from indexes.types import ANYONE, KEEPER, Viewer
from qa.answering import Answerer, Progress
from qa.audiences import may_see
from qa.errors import JournalUnavailable
from qa.journal.records import AnswerRecord, Feedback
from qa.journal.store import Journal, no_answer, no_conversation
from qa.types import Answer, Question, Turn

log = logging.getLogger(__name__)

UNKEPT = "journal"  # in `Answer.degraded`: the answer was given, but could not be kept


@dataclass(frozen=True, slots=True)
class Exchange:
    """An answer and the conversation it belongs to."""

    conversation_id: str
    answer: Answer


class Conversations:
    """Asks in conversations. An answer never fails because it cannot be kept: it is marked degraded instead.

    A conversation belongs to its `owner`, the id of a principal; for everybody else it is unknown.
    """

    def __init__(self, answerer: Answerer, journal: Journal, retention: int = 90) -> None:
        """`retention`: days after which what was asked is deleted."""
        self._answerer = answerer
        self._journal = journal
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
        """Answer a prepared question and keep the answer. Raises UnknownTag."""
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
            self._journal.record(exchange.conversation_id, exchange.answer, question.filter, owner)
        except JournalUnavailable as error:
            log.error("An answer was given but not kept: %s", error)
            return replace(exchange, answer=replace(answer, degraded=(*answer.degraded, UNKEPT)))
        return exchange

    def turns(self, conversation_id: str, owner: str = "", viewer: Viewer = ANYONE) -> tuple[Turn, ...]:
        """The turns so far that `viewer` may read, oldest first. Raises UnknownConversation, JournalUnavailable."""
        answers = [kept.answer for kept in self.kept(conversation_id, owner, viewer)]
        return tuple(
            turn
            for answer in answers
            for turn in (Turn("user", answer.question), Turn("assistant", answer.text, answer.kind))
        )

    def kept(self, conversation_id: str, owner: str = "", viewer: Viewer = ANYONE) -> tuple[AnswerRecord, ...]:
        """The answers of a conversation that `viewer` may read, oldest first.

        Raises UnknownConversation, also where they may read none, and JournalUnavailable.
        """
        answers = self._journal.conversation(conversation_id, owner)
        kept = tuple(answer for answer in answers if self._readable(answer, viewer))
        if not kept:
            raise no_conversation()
        return kept

    def answer(self, answer_id: str, viewer: Viewer = ANYONE) -> AnswerRecord:
        """One answer, whoever asked: its id is for sharing with those who may read what it quotes.

        Raises UnknownAnswer, JournalUnavailable.
        """
        kept = self._journal.answer(answer_id)
        if not self._readable(kept, viewer):
            raise no_answer()
        return kept

    def give_feedback(self, answer_id: str, feedback: Feedback, owner: str = "") -> None:
        """Keep what the asker thought of an answer. Raises UnknownAnswer, JournalUnavailable."""
        self._journal.give_feedback(answer_id, feedback, owner)

    def _readable(self, kept: AnswerRecord, viewer: Viewer) -> bool:
        """Whether every article it shows was, and still is, for `viewer`."""
        answer = kept.answer
        shown = {citation.article_id for citation in answer.citations} | {near.article_id for near in answer.related}
        return may_see(viewer, answer.audiences, shown, self._answerer.corpus(KEEPER))

    def delete(self, conversation_id: str, owner: str = "") -> None:
        """Delete a conversation for good. Raises UnknownConversation, JournalUnavailable."""
        self._journal.delete(conversation_id, owner)

    def settle(self) -> None:
        """Bring what has been kept to its place. Raises JournalUnavailable."""
        self._journal.settle()

    def forget(self) -> int:
        """Delete what is older than the retention allows; returns how many answers that were.

        Raises JournalUnavailable.
        """
        return self._journal.purge(self._retention)
