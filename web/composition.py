"""Everything behind one socket, put together from the settings."""

from __future__ import annotations

import contextlib
import math
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI

from qa.catalogue import Catalogue
from qa.commands import build_answerer, open_retrieval
from qa.conversations import Conversations
from qa.insights.ranking_inspector import Inspector
from qa.insights.usage import Insights
from qa.journal.article_views import Views
from qa.journal.sqlite.journal import SqliteJournal
from qa.links import Links
from qa.observing import Observers
from web.access.keys import Keys
from web.access.rules import AccessRules
from web.access.sqlite_keys import SqliteKeyStore
from web.admission import WorkSlots
from web.app import create_app
from web.errors import NoTelemetry
from web.observing import logs
from web.observing.metrics import Metrics
from web.services import Services
from web.serving.listening import BACKLOG, cores
from web.serving.server import DrainingServer, SupervisedServer
from web.serving.worker_slot import WorkerSlot
from web.settings import Settings
from web.shared_state import Shared, SharedTimestamp
from web.slack.setup import is_set_up

if TYPE_CHECKING:
    from web.observing.tracing import Tracing

_GRACE = 3  # seconds that open requests get at shutdown
_MORE = 1  # requests at work than cores: while one is read or written, no core is idle (docs/decisions/processes.md)
_SWITCH = 0.0002  # seconds; by default a working thread keeps the event loop, and others, waiting 25 times as long


def serve(settings: Settings, index: Path, listener: socket.socket, place: WorkerSlot | None) -> None:
    """Answer what comes to `listener`, until told to stop. `place`: of this process among several, None: it is alone.

    Raises FootnoteError saying what is missing.
    """
    logs.configure(settings.log_format, settings.log_level)
    sys.setswitchinterval(_SWITCH)
    tracing = tracing_to(settings.otlp_endpoint)
    with contextlib.ExitStack() as stack:
        services, slots = _services(settings, index, listener, place, tracing, stack)
        app = _app(settings, services, slots)
        config = uvicorn.Config(
            tracing.around(app) if tracing else app,
            log_config=None,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=_GRACE,
            server_header=False,
            backlog=BACKLOG,
            proxy_headers=False,  # web/access/proxies.py reads them, from those who are trusted
        )
        server = (
            SupervisedServer(config, services.drain, place, services.figures.note)
            if place
            else DrainingServer(config, services.drain)
        )
        listener.listen(BACKLOG)
        if isinstance(server, SupervisedServer):  # now, as connections come from now on
            server.beat()
        if place is None or place.announces:
            articles = services.store.current().manifest.articles
            print(f"Footnote answers from {articles} articles at {_address(listener)}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises it anew once it has shut down
            server.run(sockets=[listener])


def _services(
    settings: Settings,
    index: Path,
    listener: socket.socket,
    place: WorkerSlot | None,
    tracing: Tracing | None,
    stack: contextlib.ExitStack,
) -> tuple[Services, WorkSlots]:
    """What the routes work with, and whose turn it is. `stack` closes it."""

    def closed(close: Callable[[], None]) -> None:
        stack.callback(close)

    folder = Path(place.folder) if place else None
    shared, keys = Shared(folder), Keys(SqliteKeyStore(settings.keys))
    closed(keys.close)
    access_rules = AccessRules.of(settings, keys, listener.getsockname()[0], shared)
    store, embedder = open_retrieval(index, settings)
    store.keep_looking()
    links, figures = Links(settings.public_url), Metrics(place.metrics if place else None)
    observer = Observers(figures.counted, tracing) if tracing else figures.counted
    answerer = build_answerer(store, embedder, links, observer)
    journal = SqliteJournal(settings.journal)
    closed(journal.close)
    views = Views(journal.views)
    services = Services(
        store,
        answerer,
        Conversations(answerer, journal.answers, settings.retention_days),
        links,
        Catalogue(),
        views,
        Insights(journal.answers, views, embedder),
        Inspector(store, answerer, embedder),
        access_rules,
        () if embedder else ("vectors",),
        figures=figures,
        shared=shared,
    )
    of = place.of if place else 1
    slots = WorkSlots(
        math.ceil(cores() / of) + _MORE,
        math.ceil(settings.capacity / of),
        refused=SharedTimestamp(folder / "refused" if folder else None),
    )
    figures.watch(store, slots, journal, services.degraded)
    return services, slots


def _app(settings: Settings, services: Services, slots: WorkSlots) -> FastAPI:
    slack = None
    if is_set_up(settings):
        from web.slack.service import slack_from  # its SDK costs what nobody else need wait for

        slack = slack_from(settings, services, slots)
    recorders = (logs.AccessLog(), services.figures.counted)
    return create_app(services, settings.max_body, slots, settings.widget_origins.split(), slack, recorders)


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def tracing_to(endpoint: str) -> Tracing | None:
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
