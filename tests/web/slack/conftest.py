"""Footnote with Slack set up, the tiny articles behind it, and a Slack that it talks to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from indexes.models.embedding import Embedder
from tests.conftest import Site, make_services
from tests.web.slack import standin
from tests.web.slack.standin import SECRET, TOKEN, Slack
from web.admission import WorkSlots
from web.app import create_app
from web.services import Services
from web.settings import Settings
from web.slack.sending import web_client
from web.slack.service import build

PUBLIC = "https://kb.example"


def settings(**values: Any) -> Settings:
    return Settings.model_validate(
        {"slack_signing_secret": SECRET, "slack_bot_token": TOKEN, "public_url": PUBLIC, **values}
    )


@dataclass(frozen=True)
class Workspace:
    """A workspace with the app installed: what its people do, and what they get to see."""

    client: TestClient
    slack: Slack
    services: Services

    def settle(self) -> None:
        """Waits until everything that was asked is done."""
        portal, app = self.client.portal, self.client.app
        assert portal
        portal.call(app.state.slack.worker._queue.join)  # type: ignore[attr-defined, call-arg]

    def send(self, path: str, body: bytes, **headers: str) -> httpx2.Response:
        """A request that Slack signs and sends now."""
        kind = "application/json" if path == "events" else "application/x-www-form-urlencoded"
        return self.client.post(
            f"/slack/{path}", content=body, headers={"content-type": kind, **standin.signed(body), **headers}
        )

    def ask(self, text: str, **fields: str) -> httpx2.Response:
        """`/ask text`."""
        return self.send("commands", standin.command(text, self.slack.response_url(), **fields))

    def mention(self, text: str, **fields: Any) -> httpx2.Response:
        return self.send("events", standin.event("app_mention", f"<@{standin.BOT}> {text}", **fields))

    def write(self, text: str, **fields: Any) -> httpx2.Response:
        """A direct message."""
        return self.send("events", standin.event("message", text, channel=standin.DIRECT, **fields))

    def press(self, action: str, value: str, **options: Any) -> httpx2.Response:
        return self.send("interactions", standin.press(action, value, self.slack.response_url("actions"), **options))


Served = Callable[..., Workspace]


@pytest.fixture
def serve(tiny_site: Site, embedder: Embedder, tmp_path: Path) -> Iterator[Served]:
    """Serves Footnote with the settings given, from the tiny articles or an `index`.

    Served twice, it has the journal of the first time.
    """
    slack = Slack()
    opened = ExitStack()

    def serve(index: Path = tiny_site.index, **values: Any) -> Workspace:
        services = opened.enter_context(make_services(index, embedder, tmp_path, public_url=PUBLIC))
        slots = WorkSlots(2, 64)
        parts = build(
            settings(**values), services, slots, web_client(TOKEN, f"{slack.address}/api/"), slack.http_client()
        )
        client = TestClient(create_app(services, 262_144, slots, (), parts), raise_server_exceptions=False)
        return Workspace(opened.enter_context(client), slack, services)

    yield serve
    opened.close()
    slack.close()


@pytest.fixture
def workspace(serve: Served) -> Workspace:
    return serve()
