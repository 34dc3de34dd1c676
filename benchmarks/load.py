"""Load clients that cost little beside the server: some 50 microseconds a question, all on one thread."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import uvloop

_QUESTIONS = Path(__file__).parent / "data" / "development.jsonl"
_REFUSED = (429, 503)


def questions(first: int) -> Iterator[str]:
    """The development questions in a loop, numbered so that no question vector is in the cache."""
    asked = [json.loads(line)["question"] for line in _QUESTIONS.read_text(encoding="utf-8").splitlines()]
    for number in count(first):
        yield f"{asked[number % len(asked)]} (ticket {number})"


@dataclass(slots=True)
class Tally:
    """What the clients of one load saw, and what they cost."""

    answered: list[float] = field(default_factory=list)  # seconds each
    refused: int = 0
    failed: int = 0
    untold: int = 0  # refused without Retry-After
    cpu: float = 0.0  # seconds that the clients themselves worked

    def count(self, reply: Reply, seconds: float) -> None:
        if reply.status == 200:
            self.answered.append(seconds)
        elif reply.status in _REFUSED:
            self.refused += 1
            self.untold += reply.retry_after is None
        else:
            self.failed += 1

    def percentile(self, share: float) -> float:
        """In milliseconds."""
        ordered = sorted(self.answered)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    retry_after: float | None  # seconds


class Connection(asyncio.Protocol):
    """One connection, kept open; one question at a time."""

    def __init__(self) -> None:
        self.open = True
        self._received = b""
        self._waiting: asyncio.Future[Reply] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's has no common ancestor with it

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator:
            return
        status, *lines = head.split(b"\r\n")
        headers = dict(line.lower().split(b": ", 1) for line in lines)
        if len(body) >= int(headers[b"content-length"]) and self._waiting:
            self._received = b""
            wait = headers.get(b"retry-after")
            self._waiting.set_result(Reply(int(status.split()[1]), None if wait is None else float(wait)))
            self._waiting = None

    def connection_lost(self, error: Exception | None) -> None:
        self.open = False
        if self._waiting:
            self._waiting.set_result(Reply(0, None))
            self._waiting = None

    def ask(self, question: str, key: str = "") -> asyncio.Future[Reply]:
        """The reply to come; status 0 where the connection breaks."""
        body = json.dumps({"question": question}).encode()
        headers = ["Host: localhost", "Content-Type: application/json", f"Content-Length: {len(body)}"]
        if key:
            headers.append(f"Authorization: Bearer {key}")
        head = "\r\n".join(["POST /api/v1/ask HTTP/1.1", *headers])
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(head.encode() + b"\r\n\r\n" + body)
        return self._waiting


async def _connect(address: str) -> Connection:
    split = urlsplit(address)
    assert split.hostname
    assert split.port
    _, connection = await asyncio.get_running_loop().create_connection(Connection, split.hostname, split.port)
    return connection


async def _clients(address: str, number: int, seconds: float, first: int, key: str) -> Tally:
    tally, fresh = Tally(), questions(first)
    until = time.perf_counter() + seconds

    async def client() -> None:
        connection = await _connect(address)
        while True:
            started = time.perf_counter()
            reply = await connection.ask(next(fresh), key)
            tally.count(reply, time.perf_counter() - started)
            if reply.status != 200:
                await asyncio.sleep(reply.retry_after or 1)
            if time.perf_counter() >= until:
                return

    await asyncio.gather(*(client() for _ in range(number)))
    return tally


async def _flood(address: str, rate: float, seconds: float, first: int, key: str) -> Tally:
    tally, fresh = Tally(), questions(first)
    idle: list[Connection] = []

    async def ask() -> None:
        started = time.perf_counter()
        while idle and not idle[-1].open:  # the server closes those that are idle for long
            idle.pop()
        connection = idle.pop() if idle else await _connect(address)
        reply = await connection.ask(next(fresh), key)
        tally.count(reply, time.perf_counter() - started)
        idle.append(connection)

    begun = time.perf_counter()
    tasks: list[asyncio.Task[None]] = []
    while (elapsed := time.perf_counter() - begun) < seconds:
        tasks += [asyncio.create_task(ask()) for _ in range(int(elapsed * rate) - len(tasks))]
        await asyncio.sleep(0.001)
    await asyncio.gather(*tasks)
    return tally


def clients(address: str, number: int, seconds: float, first: int, key: str = "") -> Tally:
    """`number` clients that each ask one question after the other; one that is refused waits as it is told to.

    `key`: the API key they send.
    """
    return _measured(_clients(address, number, seconds, first, key))


def flood(address: str, rate: float, seconds: float, first: int, key: str = "") -> Tally:
    """`rate` questions a second, whether or not the others have been answered."""
    return _measured(_flood(address, rate, seconds, first, key))


def _measured(load: Coroutine[None, None, Tally]) -> Tally:
    started = time.process_time()
    tally: Tally = uvloop.run(load)
    tally.cpu = time.process_time() - started
    return tally
