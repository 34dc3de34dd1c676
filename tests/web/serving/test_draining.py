"""Streams end with a word when the server stops, and cost nothing once their reader has left."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, Site

QUESTION = "How long does an access token live?"
OURS = "/api/v1/ask/stream", {"question": QUESTION}
OPENAI = (
    "/v1/chat/completions",
    {
        "model": "footnote",
        "stream": True,
        "messages": [{"role": "user", "content": QUESTION}],
    },
)


def request(path: str, body: object) -> bytes:
    content = json.dumps(body)
    return (
        f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nconnection: close\r\n"
        f"content-length: {len(content)}\r\n\r\n{content}"
    ).encode()


class SlowServer:
    def __init__(self, index: Path, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.web.serving.slow_server", str(index), str(folder / "journal.sqlite")],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        self.port = int(self.process.stdout.readline())

    def stream(self, sent: bytes) -> socket.socket:
        """An open stream, its headers to be read."""
        viewer = socket.create_connection(("127.0.0.1", self.port))
        viewer.sendall(sent)
        return viewer

    def stop(self) -> int:
        """How many answers were begun before it was stopped."""
        self.process.send_signal(signal.SIGTERM)
        said, _ = self.process.communicate(timeout=60)
        return said.count("begun")


@pytest.fixture
def slow_server(tiny_site: Site, tmp_path: Path) -> Iterator[SlowServer]:
    server = SlowServer(tiny_site.index, tmp_path)
    yield server
    server.process.kill()
    server.process.wait()


@pytest.mark.parametrize(
    ("sent", "said"),
    [(request(*OURS), b"event: interrupted"), (request(*OPENAI), b'"code": "interrupted"')],
    ids=["ask", "openai"],
)
def test_every_open_stream_is_told_that_the_server_stops(slow_server: SlowServer, sent: bytes, said: bytes) -> None:
    streams = [slow_server.stream(sent) for _ in range(50)]
    heads = [stream.recv(65_536) for stream in streams]  # all have begun
    assert all(head.startswith(b"HTTP/1.1 200") for head in heads)
    slow_server.process.terminate()
    rests = [to_the_end(stream) for stream in streams]
    assert all(said in head + rest for head, rest in zip(heads, rests, strict=True))
    slow_server.process.communicate(timeout=60)
    assert slow_server.process.returncode in (0, -signal.SIGTERM)  # uvicorn raises it anew once it has shut down


@pytest.mark.parametrize(
    ("sent", "said"), [(request(*OURS), b"event: answer"), (request(*OPENAI), b"data: [DONE]")], ids=["ask", "openai"]
)
def test_a_reader_who_leaves_costs_no_answer(slow_server: SlowServer, sent: bytes, said: bytes) -> None:
    streams = [slow_server.stream(sent) for _ in range(150)]
    for stream in streams:
        stream.recv(65_536)
        stream.close()
    last = to_the_end(slow_server.stream(sent))
    assert said in last
    assert (
        1 <= slow_server.stop() <= 82
    )  # two rounds of the forty threads at most, and the last: the others never began


def to_the_end(stream: socket.socket) -> bytes:
    with stream:
        return b"".join(iter(lambda: stream.recv(65_536), b""))
