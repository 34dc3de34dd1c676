"""Measures how fast Slack is acknowledged while questions are being answered: `python -m benchmarks.slack --index DIR`.

Eight clients ask over HTTP without a pause, and meanwhile commands, mentions and presses of buttons come from Slack,
each to be answered too. Slack is played by this script: nothing leaves the machine. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import http.client
import json
import multiprocessing
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlencode

import httpx2
import uvicorn

from benchmarks.load import Reply, Tally, clients
from indexes.settings import IndexSettings
from web.admission import WorkSlots
from web.app import create_app
from web.composition import build_services
from web.settings import Settings
from web.slack.sending import web_client
from web.slack.service import build

_SECRET = "0123456789abcdef0123456789abcdef"
_SWITCH = 0.001  # as `footnote serve`
_CLIENTS = 8
_RATE = 8.0  # requests from Slack a second


class _WebApi(BaseHTTPRequestHandler):
    """Takes every message."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "11")
        self.end_headers()
        self.wfile.write(b'{"ok":true}')

    def log_message(self, format: str, *args: object) -> None:
        pass


def _serve(index: Path, folder: Path, ready: Connection) -> None:
    """`footnote serve` with Slack, which is nobody."""
    settings = Settings.model_validate(
        {
            "slack_signing_secret": _SECRET,
            "slack_bot_token": "xoxb-nobody",
            "public_url": "http://127.0.0.1",
            "index": index,
            "journal": folder / "journal.sqlite",
            "keys": folder / "keys.sqlite",
        }
    )
    api = ThreadingHTTPServer(("127.0.0.1", 0), _WebApi)
    threading.Thread(target=api.serve_forever, daemon=True).start()
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    slots = WorkSlots(os.cpu_count() or 1, settings.capacity)
    taken = httpx2.Client(transport=httpx2.MockTransport(lambda request: httpx2.Response(200, text="ok")))
    client = web_client("xoxb-nobody", f"http://127.0.0.1:{api.server_address[1]}/api/")
    with build_services(settings) as services:
        app = create_app(services, settings.max_body, slots, (), build(settings, services, slots, client, taken))
        sys.setswitchinterval(_SWITCH)
        ready.send(listener.getsockname()[1])
        config = uvicorn.Config(app, log_level="warning", access_log=False)
        uvicorn.Server(config).run(sockets=[listener])


@contextmanager
def serving(index: Path) -> Iterator[str]:
    """The address of a server with Slack."""
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        here, there = context.Pipe()
        process = context.Process(target=_serve, args=(index, Path(folder), there))
        process.start()
        yield f"http://127.0.0.1:{here.recv()}"
        process.terminate()
        process.join()


def _requests() -> Iterator[tuple[str, bytes]]:
    """What Slack sends: every question in words not asked before."""
    for number in count():
        question = f"How do I rotate refresh tokens? (ticket {number})"
        url = "https://hooks.slack.com/commands/T0/1/x"
        where = {"team_id": "T0", "channel_id": "C0", "user_id": "U0"}
        yield "commands", urlencode({"command": "/ask", "text": question, "response_url": url, **where}).encode()
        event = {
            "type": "app_mention",
            "user": "U0",
            "channel": "C0",
            "ts": f"{1_700_000_000 + number}.000100",
            "text": f"<@UB> {question}",
        }
        outer = {"type": "event_callback", "event_id": f"Ev{number}", "team_id": "T0", "event": event}
        yield "events", json.dumps(outer).encode()
        press = {
            "type": "block_actions",
            "user": {"id": "U0"},
            "team": {"id": "T0"},
            "channel": {"id": "C0"},
            "response_url": url,
            "actions": [{"action_id": "helpful", "value": f"{number:032x}"}],
        }
        yield "interactions", urlencode({"payload": json.dumps(press)}).encode()


def _signed(body: bytes) -> dict[str, str]:
    moment = str(int(time.time()))
    digest = hmac.new(_SECRET.encode(), f"v0:{moment}:".encode() + body, hashlib.sha256).hexdigest()
    return {"x-slack-request-timestamp": moment, "x-slack-signature": f"v0={digest}"}


def acknowledged(address: str, seconds: float) -> Tally:
    """How long Slack's requests wait to be acknowledged, at a steady rate; a new connection each, as Slack has."""
    tally, sent, begun = Tally(), _requests(), time.perf_counter()
    for number in range(int(seconds * _RATE)):
        time.sleep(max(0.0, begun + number / _RATE - time.perf_counter()))
        path, body = next(sent)
        started = time.perf_counter()
        connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=30)
        connection.request("POST", f"/slack/{path}", body, _signed(body))
        response = connection.getresponse()
        response.read()
        connection.close()
        tally.count(Reply(response.status, None), time.perf_counter() - started)
    return tally


def measure(index: Path, seconds: float) -> list[tuple[str, str]]:
    """Rows of what was measured and its value."""
    rows = []
    with serving(index) as address, multiprocessing.get_context("spawn").Pool(1) as pool:
        pool.apply(clients, (address, _CLIENTS, 2.0, 0))
        rows.append(("alone", _told(acknowledged(address, seconds))))
        asking = pool.apply_async(clients, (address, _CLIENTS, seconds + 2, 10_000_000))
        time.sleep(1)
        rows.append((f"while {_CLIENTS} clients ask without a pause", _told(acknowledged(address, seconds))))
        tally = asking.get()
        rows.append(("… answers to those clients", f"{len(tally.answered) / (seconds + 2):.0f} a second"))
    return rows


def _told(tally: Tally) -> str:
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "longest": 1.0}
    return (
        f"{', '.join(f'{name} {tally.percentile(share):.0f}' for name, share in shares.items())} ms "
        f"({len(tally.answered)} acknowledged, {tally.refused + tally.failed} not)"
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--index", type=Path, default=IndexSettings().index)
    arguments.add_argument("--seconds", type=float, default=60, help="of each part")
    args = arguments.parse_args()
    print("| time to the acknowledgement | |\n|---|---|")
    for what, value in measure(args.index, args.seconds):
        print(f"| {what} | {value} |")


if __name__ == "__main__":
    main()
