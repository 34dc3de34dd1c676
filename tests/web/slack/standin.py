"""A Slack to test against, over a real socket: the Web API, response_urls, and the signed requests that Slack sends.

It refuses what Slack documents that it refuses (`schema.py`), in Slack's words.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode

import httpx2

from tests.web.slack import schema

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
TOKEN = "xoxb-not-a-real-token"
TEAM, CHANNEL, DIRECT, USER, BOT = "T0KB", "C0GENERAL", "D0USER", "U0ASKER", "U0FOOTNOTE"
_MOST_RESPONSES = 5  # to one response_url


@dataclass(frozen=True)
class Sent:
    """What reached Slack: by chat.postMessage (`address` is the channel), or at a response_url."""

    address: str
    payload: dict[str, Any]

    @property
    def shown(self) -> str:
        """All texts of its blocks, one after the other."""
        return "\n".join(schema.texts(self.payload.get("blocks", [])))

    @property
    def buttons(self) -> dict[str, str]:
        """The values of its buttons, by action."""
        return {
            element["action_id"]: element["value"]
            for block in self.payload.get("blocks", [])
            if block["type"] == "actions"
            for element in block["elements"]
        }


@dataclass
class Slack:
    """The stand-in. `failures` are answered first: (status, headers, body)."""

    channels: set[str] = field(default_factory=lambda: {CHANNEL, DIRECT})
    sent: list[Sent] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    failures: list[tuple[int, dict[str, str], str]] = field(default_factory=list)
    requests: int = 0

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self._issued: dict[str, int] = {}
        slack = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                slack._answer(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait(self, count: int = 1, seconds: float = 20) -> Sent:
        """The `count`th message that was taken, once it is there."""
        with self._changed:
            there = self._changed.wait_for(lambda: len(self.sent) >= count or self.refused, seconds)
        assert not self.refused, self.refused
        assert there, f"{len(self.sent)} of {count} messages came"
        return self.sent[count - 1]

    def response_url(self, kind: str = "commands") -> str:
        url = f"https://hooks.slack.com/{kind}/{TEAM}/{1000 + len(self._issued)}/a1B2c3"
        self._issued[url] = 0
        return url

    def http_client(self) -> httpx2.Client:
        """A client whose requests to hooks.slack.com come here."""
        return httpx2.Client(transport=_ToStandIn(self.address), follow_redirects=False, trust_env=False)

    # What it answers

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["content-length"]))
        with self._changed:
            self.requests += 1
            status, headers, answer = self.failures.pop(0) if self.failures else self._judged(handler, body)
            self._changed.notify_all()
        handler.send_response(status)
        for name, value in {"content-length": str(len(answer.encode())), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(answer.encode())

    def _judged(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, dict[str, str], str]:
        if not handler.headers["content-type"].startswith("application/json"):
            return 400, {}, "invalid_payload"
        payload = json.loads(body)
        if handler.path.startswith("/api/"):
            error = self._posted(handler, payload)
            answer = {"ok": False, "error": error} if error else {"ok": True, "ts": "1700000000.000100"}
            return 200, {"content-type": "application/json; charset=utf-8"}, json.dumps(answer)
        error = self._responded(handler.path, payload)
        return (404 if error in ("expired_url", "used_url") else 400 if error else 200), {}, error or "ok"

    def _posted(self, handler: BaseHTTPRequestHandler, payload: dict[str, Any]) -> str:
        if handler.path != "/api/chat.postMessage":
            return "unknown_method"
        if handler.headers["authorization"] != f"Bearer {TOKEN}":
            return "invalid_auth"
        if payload.get("channel") not in self.channels:
            return "channel_not_found"
        if not re.fullmatch(r"\d{10}\.\d{6}", payload.get("thread_ts", "1700000000.000100")):
            return "invalid_thread_ts"
        return self._take(str(payload["channel"]), payload)

    def _responded(self, path: str, payload: dict[str, Any]) -> str:
        url = f"https://hooks.slack.com{path}"
        if url not in self._issued:
            return "expired_url"
        self._issued[url] += 1
        return "used_url" if self._issued[url] > _MOST_RESPONSES else self._take(url, payload)

    def _take(self, address: str, payload: dict[str, Any]) -> str:
        wrong = schema.problems(payload)
        wrong += [
            f"misread: {found}" for text in schema.texts(payload.get("blocks", [])) for found in schema.misread(text)
        ]
        if wrong:
            self.refused += wrong
            return "msg_blocks_too_long" if "msg_blocks_too_long" in wrong else "invalid_blocks"
        self.sent.append(Sent(address, payload))
        return ""


class _ToStandIn(httpx2.BaseTransport):
    """Brings what is meant for hooks.slack.com, and nothing else, to the stand-in."""

    def __init__(self, address: str) -> None:
        self._address = httpx2.URL(address)
        self._transport = httpx2.HTTPTransport(verify=False)  # there is no TLS here, and its setup takes 50 ms

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        assert (request.url.scheme, request.url.host, request.url.port) == ("https", "hooks.slack.com", None)
        request.url = request.url.copy_with(scheme="http", host=self._address.host, port=self._address.port)
        return self._transport.handle_request(request)

    def close(self) -> None:
        self._transport.close()


# What Slack sends


def signed(body: bytes, secret: str = SECRET, timestamp: str | None = None) -> dict[str, str]:
    """The headers of a request that Slack sends now."""
    moment = timestamp or str(int(time.time()))
    digest = hmac.new(secret.encode(), f"v0:{moment}:".encode() + body, hashlib.sha256).hexdigest()
    return {"x-slack-request-timestamp": moment, "x-slack-signature": f"v0={digest}"}


def command(text: str, response_url: str, **fields: str) -> bytes:
    """The body of a slash command."""
    return urlencode(
        {
            "token": "deprecated",
            "team_id": TEAM,
            "team_domain": "kb",
            "channel_id": CHANNEL,
            "channel_name": "general",
            "user_id": USER,
            "user_name": "asker",
            "command": "/ask",
            "text": text,
            "api_app_id": "A0KB",
            "is_enterprise_install": "false",
            "response_url": response_url,
            "trigger_id": "1.2.abc",
            **fields,
        }
    ).encode()


_events = iter(range(1, 1_000_000))


def event(kind: str, text: str, *, event_id: str = "", channel: str = CHANNEL, **fields: Any) -> bytes:
    """The body of an event: `app_mention`, or `message` in a direct message."""
    number = next(_events)
    moment = f"17000{number:05}.000100"
    inner = {
        "type": kind,
        "user": USER,
        "text": text,
        "ts": moment,
        "channel": channel,
        "event_ts": moment,
        "team": TEAM,
        **({"channel_type": "im"} if kind == "message" else {}),
        **fields,
    }
    outer = {
        "token": "deprecated",
        "team_id": TEAM,
        "api_app_id": "A0KB",
        "event": inner,
        "type": "event_callback",
        "event_id": event_id or f"Ev{number:05}",
        "event_time": 1700000000,
        "is_ext_shared_channel": False,
        "authorizations": [{"team_id": TEAM, "user_id": BOT, "is_bot": True}],
    }
    return json.dumps(outer).encode()


def press(action: str, value: str, response_url: str, *, ephemeral: bool = True, user: str = USER) -> bytes:
    """The body of a press of a button."""
    payload = {
        "type": "block_actions",
        "user": {"id": user, "username": "asker", "team_id": TEAM},
        "api_app_id": "A0KB",
        "team": {"id": TEAM, "domain": "kb"},
        "channel": {"id": CHANNEL, "name": "general"},
        "trigger_id": "1.2.abc",
        "container": {
            "type": "message",
            "message_ts": "1700000000.000200",
            "channel_id": CHANNEL,
            "is_ephemeral": ephemeral,
        },
        "response_url": response_url,
        "actions": [
            {
                "type": "button",
                "block_id": "b1",
                "action_id": action,
                "value": value,
                "text": {"type": "plain_text", "text": action},
                "action_ts": "1700000001.000000",
            }
        ],
    }
    return urlencode({"payload": json.dumps(payload)}).encode()


Sender = Callable[[str, bytes], httpx2.Response]
