"""The HTTP application: routes, errors and headers around `Services`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from qa.conversations import Conversations
from qa.errors import JournalUnavailable
from web.admission import WorkSlots
from web.agents import mounting
from web.agents.mounting import Agents
from web.api import articles, ask, conversations, health, openapi_errors
from web.middleware import problems
from web.middleware.admission import Admission, EarlyRefusal
from web.middleware.authentication import Authentication
from web.middleware.body_limit import TooLargeAsProblem
from web.middleware.head_requests import HeadAsGet
from web.middleware.headers import SecurityHeaders
from web.middleware.route_lookup import RouteLookup
from web.observing.recording import Reached, Recorder, Recording
from web.openai import routes as openai_routes
from web.pages import article, browse, chat, docs, insights, llms_txt, sign_in
from web.routing.facts import RouteFacts, declare
from web.routing.table import RouteTable
from web.services import Services
from web.slack import routes as slack_routes

if TYPE_CHECKING:  # loaded only where it is set up
    from web.slack.service import Slack

log = logging.getLogger(__name__)

_HOUR = 3600  # seconds
_SETTLING = 2  # seconds
_STATIC = Path(__file__).parent / "static"
_ROUTERS = tuple(
    routed.router
    for routed in (
        ask,
        articles,
        conversations,
        health,
        chat,
        browse,
        article,
        insights,
        openai_routes,
        docs,
        llms_txt,
        sign_in,
        slack_routes,
    )
)


def create_app(
    services: Services,
    max_body: int,
    slots: WorkSlots,
    widget_origins: Sequence[str] = (),
    slack: Slack | None = None,
    recorders: Sequence[Recorder] = (),
) -> FastAPI:
    """An application that answers from `services`; bodies over `max_body` bytes get 413, requests take `slots`.

    Pages of `widget_origins` may embed the widget: they, and no others, may read what this answers them. `slack` is
    None where Slack is not set up.
    """
    app = FastAPI(
        title="Footnote",
        summary="Answers from a knowledge base, every sentence cited.",
        version="0.1.0",
        docs_url=None,  # FastAPI's page loads scripts from elsewhere; web/pages/docs.py has its own
        redoc_url=None,
        lifespan=_running,
    )
    app.state.services = services
    app.state.slack = slack
    app.state.agents = Agents(services)
    app.state.routes = routes = _add_routes(app, bool(widget_origins))
    problems.install(app)
    openapi_errors.install(app, routes)
    # Added here and not by FastAPI(max_body_size=…), which would stand outside those below. Last added, first run.
    app.add_middleware(Reached)
    app.add_middleware(Admission, slots=slots)
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=max_body)
    app.add_middleware(TooLargeAsProblem, max_body=max_body)
    app.add_middleware(Authentication, access_rules=services.access_rules)
    app.add_middleware(problems.UnexpectedAsProblem)
    app.add_middleware(SecurityHeaders)
    if widget_origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=widget_origins, allow_methods=["GET", "POST"], allow_headers=["content-type"]
        )
    app.add_middleware(HeadAsGet)
    app.add_middleware(Recording, recorders=recorders)
    app.add_middleware(EarlyRefusal, slots=slots)
    app.add_middleware(RouteLookup, routes=routes)
    return app


def _add_routes(app: FastAPI, with_widget: bool) -> RouteTable:
    """All routes, and what they declare."""
    if with_widget:
        app.add_api_route("/widget.js", _widget, include_in_schema=False)
    app.add_route("/mcp", app.state.agents, methods=["POST"], include_in_schema=False)
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    own = [route for route in app.routes if isinstance(route, Route | Mount)]
    for router in _ROUTERS:
        app.include_router(router)
    others = {
        "/mcp": mounting.FACTS,
        "/openapi.json": RouteFacts(errors="problem", credentials="ignored"),
        "/static": RouteFacts(cost="constant", credentials="ignored"),
    }
    return RouteTable.of([*own, *(route for router in _ROUTERS for route in router.routes)], others)


@declare(credentials="ignored")
def _widget() -> FileResponse:
    return FileResponse(_STATIC / "widget.js", media_type="text/javascript")


@contextlib.asynccontextmanager
async def _running(app: FastAPI) -> AsyncIterator[None]:
    """Runs the background tasks of the application."""
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(app.state.services.drain.begun_by_signals())
        await stack.enter_async_context(_tidying(app))
        await stack.enter_async_context(app.state.agents.open())
        if app.state.slack:
            await stack.enter_async_context(app.state.slack.worker.working())
        yield


@contextlib.asynccontextmanager
async def _tidying(app: FastAPI) -> AsyncIterator[None]:
    """Deletes expired conversations every hour and settles the journal every two seconds."""
    conversations: Conversations = app.state.services.conversations
    tasks = [
        asyncio.create_task(_repeat(conversations.forget, _HOUR, "Old questions could not be deleted")),
        asyncio.create_task(_repeat(conversations.settle, _SETTLING, "The journal could not be tidied")),
    ]
    yield
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _repeat(work: Callable[[], object], pause: float, problem: str) -> None:
    while True:
        try:
            await run_in_threadpool(work)
        except JournalUnavailable as error:
            log.error("%s: %s", problem, error)
        await asyncio.sleep(pause)
