"""`serve`: the HTTP service."""

from __future__ import annotations

import argparse
import contextlib
import signal

import uvicorn
from starlette.types import ASGIApp

from indexes.console import OK, Commands, add_index_option, command, index_of
from indexes.settings import IndexSettings
from web.observing import logs
from web.serving import listening, workers
from web.serving.application import Application
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


def _build(serving: Application) -> ASGIApp:
    # Imported here: the supervisor need not load what it costs.
    from web.composition import application

    return application(serving)


def _serve(args: argparse.Namespace, settings: IndexSettings) -> int:
    assert isinstance(settings, Settings)
    if args.allow_anonymous:
        settings = settings.model_copy(update={"allow_anonymous": True})
    is_set_up(settings)  # what is wrong is known before anything is loaded, a taken port too
    host, port = args.host or settings.host, settings.port if args.port is None else args.port
    number = listening.processes(settings.workers if args.workers is None else args.workers)
    with listening.bind(host, port, number) as listener:
        application = Application(_build, settings, index_of(args, settings), listener, number)
        if number == 1:
            with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises it anew once it has shut down
                uvicorn.Server(application.config()).run(sockets=[listener])
            return OK
        logs.configure(settings.log_format, settings.log_level)
        status = workers.run(application)
    if status < 0:  # whoever waits for this process learns what ended it
        signal.signal(-status, signal.SIG_DFL)
        signal.raise_signal(-status)
    return status
