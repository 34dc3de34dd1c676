"""Behind the real server, on a socket: asked as Slack asks, and stopped as servers are."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx2
from slack_sdk.signature import SignatureVerifier

from indexes.models.embedding import Embedder
from qa.conversations import Conversations, Exchange
from qa.types import Question
from tests.conftest import Site, make_services
from tests.web.live_servers import served
from tests.web.slack import standin
from tests.web.slack.conftest import PUBLIC, settings
from tests.web.slack.standin import SECRET, TOKEN, Slack
from web.admission import WorkSlots
from web.app import create_app
from web.slack.sending import web_client
from web.slack.service import build
from web.slack.worker import INTERRUPTED

TOKENS = "How long does an access token live?"


class SlowConversations(Conversations):
    def reply(self, question: Question, conversation_id: str | None = None, owner: str = "") -> Exchange:
        time.sleep(1.5)
        return super().reply(question, conversation_id, owner)


def post(address: str, path: str, body: bytes) -> httpx2.Response:
    """As Slack does, signed by its own SDK."""
    moment = str(int(time.time()))
    signature = SignatureVerifier(SECRET).generate_signature(timestamp=moment, body=body)
    assert signature
    headers = {"x-slack-request-timestamp": moment, "x-slack-signature": signature, "accept": "*/*"}
    return httpx2.post(f"{address}/slack/{path}", content=body, headers=headers)


def running(site: Site, embedder: Embedder, folder: Path, slow: bool, scenario: Callable[[str, Slack], None]) -> Slack:
    """Runs a scenario against a server that is stopped after it; the Slack it talked to."""
    slack, slots = Slack(), WorkSlots(2, 64)
    with make_services(site.index, embedder, folder, public_url=PUBLIC) as made:
        slowed = SlowConversations(made.answerer, made.journal.answers)
        services = replace(made, conversations=slowed) if slow else made
        parts = build(settings(), services, slots, web_client(TOKEN, f"{slack.address}/api/"), slack.http_client())
        with served(create_app(services, 262_144, slots, (), parts)) as address:
            scenario(address, slack)
    slack.close()
    return slack


def test_slack_asks_over_a_socket_and_is_answered_over_one(tiny_site: Site, embedder: Embedder, tmp_path: Path) -> None:
    def scenario(address: str, slack: Slack) -> None:
        assert post(address, "commands", standin.command(TOKENS, slack.response_url())).status_code == 200
        assert "10 minutes" in slack.wait(1).shown
        assert post(address, "events", standin.event("app_mention", TOKENS)).status_code == 200
        assert "10 minutes" in slack.wait(2).shown

    running(tiny_site, embedder, tmp_path, False, scenario)


def test_everybody_who_waits_is_told_when_the_server_stops(tiny_site: Site, embedder: Embedder, tmp_path: Path) -> None:
    def scenario(address: str, slack: Slack) -> None:
        for number in range(12):
            body = standin.command(f"{TOKENS} ({number})", slack.response_url())
            assert post(address, "commands", body).status_code == 200

    slack = running(tiny_site, embedder, tmp_path, True, scenario)
    assert slack.refused == []
    assert [sent.payload["text"] for sent in slack.sent] == [INTERRUPTED.text] * 12
    assert len({sent.address for sent in slack.sent}) == 12
