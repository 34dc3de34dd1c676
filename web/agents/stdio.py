"""Runs the tool server over standard input and output, for an agent on the same machine that starts it."""

from __future__ import annotations

import os
import signal
import threading
import uuid
from dataclasses import replace
from typing import Any

import anyio
from cachetools import LRUCache
from mcp.server.lowlevel.server import Server
from mcp.server.stdio import stdio_server

from qa.answering import Answerer
from qa.conversations import Exchange
from qa.errors import UnknownConversation
from qa.types import Question, Turn

_MOST_CONVERSATIONS = 200  # then the oldest is dropped
_MOST_TURNS = 50  # kept of each, newest last


class InMemoryConversations:
    """Conversations that live as long as the process."""

    def __init__(self, answerer: Answerer) -> None:
        self._answerer = answerer
        self._lock = threading.Lock()
        self._turns: LRUCache[str, tuple[Turn, ...]] = LRUCache(_MOST_CONVERSATIONS)

    def ask(self, question: Question, conversation_id: str | None = None, owner: str = "") -> Exchange:
        """Answers in the conversation named, or in a new one. Raises UnknownConversation, UnknownTag."""
        history = self._history(conversation_id) if conversation_id else ()
        answer = self._answerer.ask(replace(question, history=history))
        exchange = Exchange(conversation_id or uuid.uuid4().hex, answer)
        turns = (*history, Turn("user", question.text), Turn("assistant", answer.text))
        with self._lock:
            self._turns[exchange.conversation_id] = turns[-_MOST_TURNS:]
        return exchange

    def _history(self, conversation_id: str) -> tuple[Turn, ...]:
        with self._lock:
            if conversation_id not in self._turns:
                raise UnknownConversation("There is no such conversation: begin another.")
            return self._turns[conversation_id]


def run(server: Server[Any]) -> None:
    """Serves until the client closes standard input or sends SIGTERM or SIGINT."""
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, _exit)
    anyio.run(_serve, server)


async def _serve(server: Server[Any]) -> None:
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())


def _exit(signal_number: int, frame: object) -> None:
    # The thread that reads input cannot be interrupted, and there is nothing to save.
    os._exit(0)
