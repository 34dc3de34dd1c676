"""Puts everything together from the settings: what the routes work with, and the application around it."""

from __future__ import annotations

import atexit
import contextlib
import math
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.types import ASGIApp

from indexes.snapshots.store import SnapshotStore
from qa.catalogue import Catalogue
from qa.composition import FindEmbedder, OpenStore, available_embedder, build_answering
from qa.conversations import Conversations
from qa.insights.ranking_inspector import Inspector
from qa.insights.usage import Insights
from qa.journal.article_views import Views
from qa.journal.sqlite.journal import SqliteJournal
from qa.observing import Observer, Observers
from web.access.keys import Keys
from web.access.rules import AccessRules
from web.access.sqlite_keys import SqliteKeyStore
from web.admission import WorkSlots
from web.app import create_app
from web.errors import NoTelemetry
from web.observing import logs
from web.observing.metrics import Metrics
from web.services import Services
from web.serving.application import METRICS, Application
from web.serving.draining import Drain
from web.serving.listening import BACKLOG, cores
from web.serving.supervised import supervise
from web.settings import Settings
from web.shared_state import Shared, SharedTimestamp
from web.slack.setup import is_set_up

if TYPE_CHECKING:
    from web.observing.tracing import Tracing

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
        keys = stack.enter_context(contextlib.closing(Keys(SqliteKeyStore(settings.keys))))
        access_rules = AccessRules.of(settings, keys, bound, shared)
        figures = Metrics(metrics_folder)
        parts = build_answering(
            settings,
            public_url=settings.public_url,
            observer=Observers(figures.counted, observer) if observer else figures.counted,
            open_store=open_store,
            find_embedder=find_embedder,
        )
        journal = stack.enter_context(contextlib.closing(SqliteJournal(settings.journal)))
        views = Views(journal.views)
        yield Services(
            store=parts.store,
            answerer=parts.answerer,
            conversations=Conversations(parts.answerer, journal.answers, settings.retention_days),
            links=parts.links,
            catalogue=Catalogue(),
            journal=journal,
            views=views,
            insights=Insights(journal.answers, views, parts.embedder),
            inspector=Inspector(parts.store, parts.answerer, parts.embedder),
            access_rules=access_rules,
            degraded=() if parts.embedder else ("vectors",),
            drain=Drain(),
            shared=shared,
            figures=figures,
        )


def application(serving: Application) -> ASGIApp:
    """The application of one serving process; its socket listens from now on.

    Raises FootnoteError saying what is missing.
    """
    settings = serving.settings
    logs.configure(settings.log_format, settings.log_level)
    sys.setswitchinterval(_SWITCH)
    tracing = tracing_to(settings.otlp_endpoint)
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    services = stack.enter_context(
        build_services(
            settings.at(serving.index),
            bound=serving.listener.getsockname()[0],
            shared_folder=serving.folder,
            metrics_folder=serving.folder / METRICS if serving.folder else None,
            observer=tracing,
        )
    )
    services.store.keep_looking()
    slots = _work_slots(serving)
    services.figures.watch(services.store, slots, services.journal, services.degraded)
    app = _app(settings, services, slots)
    if serving.folder:
        app.state.supervised = supervise(serving.folder, services.figures.note)
    serving.listener.listen(BACKLOG)
    if serving.announces:
        articles = services.store.current().article_count
        print(f"Footnote answers from {articles} articles at {_address(serving.listener)}", flush=True)
    return tracing.around(app) if tracing else app


def _work_slots(serving: Application) -> WorkSlots:
    """This process's share of the work."""
    return WorkSlots(
        math.ceil(cores() / serving.processes) + _MORE,
        math.ceil(serving.settings.capacity / serving.processes),
        refused=SharedTimestamp(serving.folder / "refused" if serving.folder else None),
    )


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
