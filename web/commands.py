"""`serve`: the HTTP service."""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import sys
from typing import TYPE_CHECKING

from indexes.commands import add_index_option, index_of
from indexes.console import OK, Commands, command
from indexes.settings import IndexSettings
from qa.catalogue import Catalogue
from qa.commands import build_answerer, open_retrieval
from qa.conversing import Conversations
from qa.insights import Insights
from qa.inspecting import Inspector
from qa.journal import Journal
from qa.links import Links
from qa.observing import Observers
from qa.views import Views
from web.access.keys import KeyStore
from web.errors import CannotListen, NoTelemetry
from web.settings import Settings

if TYPE_CHECKING:
    from web.observing.tracing import Tracing

_GRACE = 3  # seconds that open requests get at shutdown
_MORE = 1  # requests at work than cores: while one is read or written, no core is idle (docs/decisions/processes.md)
_SWITCH = 0.0002  # seconds; by default a working thread keeps the event loop, and others, waiting 25 times as long


def add_commands(commands: Commands) -> None:
    parser = command(commands, "serve", _serve, "answer over HTTP: pages and JSON")
    parser.add_argument("--host", help="address to listen on (FOOTNOTE_HOST)")
    parser.add_argument("--port", type=int, help="port to listen on, 0 for a free one (FOOTNOTE_PORT)")
    parser.add_argument(
        "--allow-anonymous",
        action="store_true",
        help="let anybody ask and read without a key (FOOTNOTE_ALLOW_ANONYMOUS)",
    )
    add_index_option(parser)


def _serve(args: argparse.Namespace, settings: IndexSettings) -> int:
    # Imported here: FastAPI costs half a second that the other commands need not wait for.
    import uvicorn

    from web.access.gate import Doors
    from web.admission import Turns
    from web.app import create_app
    from web.observing import logs, metrics
    from web.services import Services
    from web.serving import DrainingServer
    from web.slack.setup import is_set_up

    assert isinstance(settings, Settings)
    with_slack = is_set_up(settings)
    logs.configure(settings.log_format, settings.log_level)
    tracing = _tracing(settings.otlp_endpoint)
    host, port = args.host or settings.host, settings.port if args.port is None else args.port
    if args.allow_anonymous:
        settings = settings.model_copy(update={"allow_anonymous": True})
    with _listening(host, port) as listener:  # before the model is loaded: a taken port is known at once
        keys = KeyStore(settings.keys)
        doors = Doors.of(settings, keys, listener.getsockname()[0])
        store, embedder = open_retrieval(index_of(args, settings), settings)
        store.keep_looking()
        links = Links(settings.public_url)
        registry = metrics.new_registry()
        counted = metrics.Counted(registry)
        answerer = build_answerer(store, embedder, links, Observers(counted, tracing) if tracing else counted)
        journal = Journal(settings.journal)
        conversations = Conversations(answerer, journal, settings.retention_days)
        degraded = () if embedder else ("vectors",)
        views = Views(journal)
        services = Services(
            store, answerer, conversations, links, Catalogue(), views, Insights(journal, views, embedder),
            Inspector(store, answerer, embedder), doors, degraded, registry=registry,
        )  # fmt: skip
        manifest = store.current().manifest
        shown = f"[{host}]" if ":" in host else host
        address = f"http://{shown}:{listener.getsockname()[1]}"
        print(f"Footnote answers from {manifest.articles} articles at {address}", flush=True)
        sys.setswitchinterval(_SWITCH)
        turns = Turns((os.cpu_count() or 1) + _MORE, settings.capacity)
        registry.register(metrics.State(store, turns, journal, degraded))
        slack = None
        if with_slack:
            from web.slack.service import slack_from  # its SDK costs what nobody else need wait for

            slack = slack_from(settings, services, turns)
        recorders = (logs.AccessLog(), counted)
        app = create_app(services, settings.max_body, turns, settings.widget_origins.split(), slack, recorders)
        config = uvicorn.Config(
            tracing.around(app) if tracing else app, log_config=None, log_level="warning", access_log=False,
            timeout_graceful_shutdown=_GRACE, server_header=False,
            proxy_headers=False,  # web/access/proxies.py reads them, from those who are trusted
        )  # fmt: skip
        with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises it anew once it has shut down
            DrainingServer(config, services.drain).run(sockets=[listener])
        journal.close()
        keys.close()
        if tracing:
            tracing.close()
    return OK


def _tracing(endpoint: str) -> Tracing | None:
    """What sends traces to `endpoint`, None for "". Raises NoTelemetry."""
    if not endpoint:
        return None
    try:
        from web.observing.tracing import Tracing, to_collector
    except ModuleNotFoundError as error:
        raise NoTelemetry(
            "FOOTNOTE_OTLP_ENDPOINT is set, but what sends traces is not installed: pip install 'footnote[telemetry]'."
        ) from error
    return Tracing(to_collector(endpoint))


def _listening(host: str, port: int) -> socket.socket:
    """A listening socket. Raises CannotListen saying what to do."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=2048)
    except OverflowError as error:
        raise CannotListen(f"{port} is no port: choose one from 0 to 65535.") from error
    except OSError as error:
        raise CannotListen(
            f"Cannot listen on {host}:{port} ({error.strerror}): stop what listens there, or choose another port "
            "with --port or PORT=… make serve."
        ) from error
