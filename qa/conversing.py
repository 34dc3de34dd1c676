"""Questions in a conversation: its history goes in with the question, the answer is kept."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace

from qa.answering import Answerer
from qa.journal import Journal
from qa.types import Answer, Question, Turn


@dataclass(frozen=True, slots=True)
class Exchange:
    """An answer and the conversation it belongs to."""

    conversation_id: str
    answer: Answer


class Conversations:
    def __init__(self, answerer: Answerer, journal: Journal) -> None:
        self._answerer = answerer
        self._journal = journal

    def ask(self, question: Question, conversation_id: str | None = None) -> Exchange:
        """Answer in the conversation named, or in a new one. Raises UnknownConversation, UnknownTag."""
        if conversation_id is not None:
            question = replace(question, history=self._journal.history(conversation_id))
        exchange = Exchange(conversation_id or uuid.uuid4().hex, self._answerer.ask(question))
        self._journal.record(exchange.conversation_id, exchange.answer)
        return exchange

    def turns(self, conversation_id: str) -> tuple[Turn, ...]:
        """The turns so far, oldest first. Raises UnknownConversation."""
        return self._journal.history(conversation_id)
