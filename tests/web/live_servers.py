"""The whole application behind the real server, on a socket."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread

import uvicorn
from starlette.types import ASGIApp

from qa.retrieval import QuestionEmbedder
from tests.conftest import make_services
from web.access.rules import AccessRules
from web.admission import WorkSlots
from web.app import create_app

PATIENCE = 60.0  # seconds, on a busy machine


def eventually(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < until, "not within the time allowed"
        time.sleep(0.02)


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """`app` behind uvicorn; its address."""
    config = uvicorn.Config(app, log_config=None, ws="none", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@contextmanager
def served_from(
    index: Path, embedder: QuestionEmbedder, folder: Path, access_rules: AccessRules | None = None, capacity: int = 64
) -> Iterator[str]:
    """The application over `index`, with a journal of its own in `folder`; its address.

    Without `access_rules`, all is open to whoever sits at the machine.
    """
    with make_services(index, embedder, folder) as made:
        services = replace(made, access_rules=access_rules) if access_rules else made
        with served(create_app(services, 262_144, WorkSlots(2, capacity))) as address:
            yield address
