"""`serve`: the HTTP service."""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
from collections.abc import Sequence
from typing import NoReturn

from indexes.console import OK, Commands, add_index_option, command, index_of
from indexes.settings import IndexSettings
from web.serving import listening
from web.serving.worker_slot import WorkerSlot
from web.settings import MOST_WORKERS, Settings
from web.slack.setup import is_set_up


def add_commands(commands: Commands) -> None:
    parser = command(commands, "serve", _serve, "answer over HTTP: pages and JSON")
    parser.add_argument("--host", help="address to listen on (FOOTNOTE_HOST)")
    parser.add_argument("--port", type=int, help="port to listen on, 0 for a free one (FOOTNOTE_PORT)")
    parser.add_argument("--workers", type=_number, metavar="N", help="processes that serve (FOOTNOTE_WORKERS)")
    parser.add_argument(
        "--allow-anonymous",
        action="store_true",
        help="let anybody ask and read without a key (FOOTNOTE_ALLOW_ANONYMOUS)",
    )
    add_index_option(parser)


def _number(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_WORKERS:
        raise argparse.ArgumentTypeError(f"must be from 1 to {MOST_WORKERS}")
    return int(text)


def _serve(args: argparse.Namespace, settings: IndexSettings) -> int:
    assert isinstance(settings, Settings)
    if args.allow_anonymous:
        settings = settings.model_copy(update={"allow_anonymous": True})
    place = WorkerSlot.given()
    if place:
        listener = socket.socket(fileno=place.listener)
    else:
        is_set_up(settings)  # what is wrong is known before anything is loaded, a taken port too
        wanted = settings.workers if args.workers is None else args.workers
        host, port = args.host or settings.host, settings.port if args.port is None else args.port
        listener, *others = listening.sockets(host, port, listening.processes(wanted))
        if others:
            _supervise([listener, *others], args.command_line, settings.log_format)
    # Imported here: FastAPI costs half a second that the other commands need not wait for.
    from web.composition import serve

    with listener:
        serve(settings.at(index_of(args, settings)), listener, place)
    return OK


def _supervise(listeners: Sequence[socket.socket], command_line: Sequence[str], log_format: str) -> NoReturn:
    """Become the supervisor of processes that run this command line, each with one of the sockets."""
    for listener in listeners:
        listener.set_inheritable(True)
    numbers = json.dumps([listener.fileno() for listener in listeners])
    python = [sys.executable, "-m"]
    worker = [*python, "web", *command_line]
    os.execv(sys.executable, [*python, "web.serving.supervisor", numbers, log_format, *worker])
