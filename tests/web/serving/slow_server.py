"""The whole application behind the real server, with answers that take two seconds: `python -m … INDEX JOURNAL`.

Prints its port, a line for each answer that is begun, and how many tasks there are when it gets SIGUSR1.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import uvicorn

from qa.answering import Progress
from qa.conversations import Conversations, Exchange
from qa.types import Question
from tests.conftest import make_services
from web.admission import WorkSlots
from web.app import create_app
from web.services import Services


class SlowConversations(Conversations):
    def reply(self, question: Question, conversation_id: str | None = None, owner: str = "") -> Exchange:
        _begin()
        return super().reply(question, conversation_id, owner)

    def stream(
        self, question: Question, conversation_id: str | None = None, owner: str = ""
    ) -> Iterator[Progress | Exchange]:
        _begin()
        yield from super().stream(question, conversation_id, owner)


def _begin() -> None:
    print("begun", flush=True)
    time.sleep(2)


def main(index: Path, path: Path) -> None:
    with make_services(index, None, path.parent, journal=path) as made:
        serve(replace(made, conversations=SlowConversations(made.answerer, made.journal.answers)))


def serve(services: Services) -> None:
    signal.signal(signal.SIGUSR1, lambda *_: print(f"tasks {len(asyncio.all_tasks())}", flush=True))
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(
        create_app(services, 262_144, WorkSlots(200, 1_000)), log_level="warning", timeout_graceful_shutdown=3
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
