"""The whole application behind the real server, with answers that take two seconds: `python -m … INDEX JOURNAL`.

Prints its port, a line for each answer that is begun, and how many tasks there are when it gets SIGUSR1.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import time
from dataclasses import replace
from pathlib import Path

import uvicorn

from qa.conversations import Conversations, Exchange
from qa.types import Question
from tests.conftest import make_services
from web.admission import WorkSlots
from web.app import create_app
from web.services import Services
from web.serving.server import DrainingServer


class SlowConversations(Conversations):
    def reply(self, question: Question, conversation_id: str | None = None, owner: str = "") -> Exchange:
        print("begun", flush=True)
        time.sleep(2)
        return super().reply(question, conversation_id, owner)


def main(index: Path, path: Path) -> None:
    with make_services(index, None, path.parent, journal=path) as made:
        serve(replace(made, conversations=SlowConversations(made.answerer, made.journal)))


def serve(services: Services) -> None:
    signal.signal(signal.SIGUSR1, lambda *_: print(f"tasks {len(asyncio.all_tasks())}", flush=True))
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(
        create_app(services, 262_144, WorkSlots(200, 1_000)), log_level="warning", timeout_graceful_shutdown=3
    )
    DrainingServer(config, services.drain).run(sockets=[listener])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
