"""Puts everything together from the settings: what the routes work with, and the server around it."""

from __future__ import annotations

import contextlib
import math
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from indexes.snapshots.store import SnapshotStore
from qa.catalogue import Catalogue
from qa.composition import FindEmbedder, OpenStore, available_embedder, build_answering
from qa.conversations import Conversations
from qa.insights.ranking_inspector import Inspector
from qa.insights.usage import Insights
from qa.journal.article_views import Views
from qa.journal.store import Journal
from qa.observing import Observer, Observers
from web.access.keys import KeyStore
from web.access.rules import AccessRules
from web.admission import WorkSlots
from web.app import create_app
from web.errors import NoTelemetry
from web.observing import logs
from web.observing.metrics import Metrics
from web.services import Services
from web.serving.draining import Drain
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


@contextlib.contextmanager
def build_services(
    settings: Settings,
    *,
    bound: str = "127.0.0.1",
    shared_folder: Path | None = None,
    metrics_folder: Path | None = None,
    observer: Observer | None = None,
    open_store: OpenStore = SnapshotStore,
    find_embedder: FindEmbedder = available_embedder,
) -> Iterator[Services]:
    """All that the routes work with, until the end of the block.

    `bound`: the address that the server listens on; `shared_folder`, `metrics_folder`: of what several serving
    processes have in common. Raises FootnoteError saying what is missing.
    """
    with contextlib.ExitStack() as stack:
        shared = stack.enter_context(contextlib.closing(Shared(shared_folder)))
        keys = stack.enter_context(contextlib.closing(KeyStore(settings.keys)))
        access_rules = AccessRules.of(settings, keys, bound, shared)
        figures = Metrics(metrics_folder)
        parts = build_answering(
            settings,
            public_url=settings.public_url,
            observer=Observers(figures.counted, observer) if observer else figures.counted,
            open_store=open_store,
            find_embedder=find_embedder,
        )
        journal = stack.enter_context(contextlib.closing(Journal(settings.journal)))
        views = Views(journal)
        yield Services(
            store=parts.store,
            answerer=parts.answerer,
            conversations=Conversations(parts.answerer, journal, settings.retention_days),
            links=parts.links,
            catalogue=Catalogue(),
            journal=journal,
            views=views,
            insights=Insights(journal, views, parts.embedder),
            inspector=Inspector(parts.store, parts.answerer, parts.embedder),
            access_rules=access_rules,
            degraded=() if parts.embedder else ("vectors",),
            drain=Drain(),
            shared=shared,
            figures=figures,
        )


def serve(settings: Settings, listener: socket.socket, slot: WorkerSlot | None) -> None:
    """Answer what comes to `listener`, until told to stop. `slot`: of this process among several, None: it is alone.

    Raises FootnoteError saying what is missing.
    """
    logs.configure(settings.log_format, settings.log_level)
    sys.setswitchinterval(_SWITCH)
    tracing = tracing_to(settings.otlp_endpoint)
    with build_services(
        settings,
        bound=listener.getsockname()[0],
        shared_folder=Path(slot.folder) if slot else None,
        metrics_folder=slot.metrics if slot else None,
        observer=tracing,
    ) as services:
        services.store.keep_looking()
        slots = _work_slots(settings, slot)
        services.figures.watch(services.store, slots, services.journal, services.degraded)
        app = _app(settings, services, slots)
        server = _server(tracing.around(app) if tracing else app, services, slot)
        listener.listen(BACKLOG)
        if isinstance(server, SupervisedServer):  # now, as connections come from now on
            server.beat()
        if slot is None or slot.announces:
            articles = services.store.current().manifest.articles
            print(f"Footnote answers from {articles} articles at {_address(listener)}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises it anew once it has shut down
            server.run(sockets=[listener])


def _server(app: ASGIApp, services: Services, slot: WorkerSlot | None) -> DrainingServer:
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=_GRACE,
        server_header=False,
        backlog=BACKLOG,
        proxy_headers=False,  # web/access/proxies.py reads them, from those who are trusted
    )
    if slot:
        return SupervisedServer(config, services.drain, slot, services.figures.note)
    return DrainingServer(config, services.drain)


def _work_slots(settings: Settings, slot: WorkerSlot | None) -> WorkSlots:
    """This process's share of the work."""
    processes = slot.of if slot else 1
    refused = SharedTimestamp(Path(slot.folder, "refused") if slot else None)
    return WorkSlots(math.ceil(cores() / processes) + _MORE, math.ceil(settings.capacity / processes), refused=refused)


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
