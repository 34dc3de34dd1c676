"""What serving costs: `python -m benchmarks.serving --index DIR [--seconds 5] [--overload 60]`.

Starts `footnote serve` as its users do and asks over HTTP from other processes, each question in words not asked before
(so that no vector is remembered). Prints a Markdown table; on a busy machine, CPU times and ratios are what holds.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import multiprocessing
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from urllib.parse import urlsplit

import psutil  # type: ignore[import-untyped]

from indexes.settings import IndexSettings

_QUESTIONS = Path(__file__).parent / "data" / "development.jsonl"
_TURNS = 3
_CLIENTS = 16


def questions(first: int) -> Iterator[str]:
    """The development questions over and over, each time in other words."""
    asked = [json.loads(line)["question"] for line in _QUESTIONS.read_text(encoding="utf-8").splitlines()]
    for number in count(first):
        yield f"{asked[number % len(asked)]} (ticket {number})"


@dataclass(frozen=True, slots=True)
class Served:
    address: str
    process: psutil.Process
    first_answer: float  # seconds from the start of the command
    first_answer_cpu: float  # seconds of work until then

    def cpu(self) -> float:
        """Seconds the server has worked."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@contextmanager
def serving(index: Path) -> Iterator[Served]:
    """`footnote serve` on a free port, from its start to its first answer and after."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "web", "serve", "--port", "0", "--index", str(index)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[-1]
        Client(address).ask("How do I rotate refresh tokens?")
        first_answer, watched = time.perf_counter() - started, psutil.Process(process.pid)
        yield Served(address, watched, first_answer, sum(watched.cpu_times()[:2]))
        process.terminate()


class Client:
    """One person's connection."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)

    def ask(self, question: str) -> int:
        """The status of the answer; waits where it is told to."""
        headers = {"content-type": "application/json"}
        self._connection.request("POST", "/api/v1/ask", json.dumps({"question": question}), headers)
        response = self._connection.getresponse()
        response.read()
        if response.status == 503:
            time.sleep(float(response.headers["Retry-After"]))
        return response.status


@dataclass(slots=True)
class Tally:
    """What one client or load saw."""

    answered: list[float] = field(default_factory=list)  # seconds each
    refused: int = 0
    failed: int = 0

    def count(self, status: int, seconds: float) -> None:
        if status == 200:
            self.answered.append(seconds)
        elif status == 503:
            self.refused += 1
        else:
            self.failed += 1

    def percentile(self, share: float) -> float:
        """In milliseconds."""
        ordered = sorted(self.answered)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


def ask_for(address: str, seconds: float, first: int) -> Tally:
    """One client that asks one question after the other."""
    client, tally, fresh = Client(address), Tally(), questions(first)
    until = time.perf_counter() + seconds
    while (started := time.perf_counter()) < until:
        tally.count(client.ask(next(fresh)), time.perf_counter() - started)
    return tally


def together(pool: Callable[..., list[Tally]], address: str, clients: int, seconds: float, first: int) -> list[Tally]:
    return pool(ask_for, [(address, seconds, first + client * 100_000) for client in range(clients)])


async def overload(address: str, rate: float, seconds: float, first: int) -> Tally:
    """Questions at a fixed rate, whether or not the others have been answered."""
    tally, fresh = Tally(), questions(first)
    host, port = urlsplit(address).hostname, urlsplit(address).port
    idle: SimpleQueue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = SimpleQueue()

    async def ask(question: str) -> None:
        started = time.perf_counter()
        reader, writer = idle.get() if not idle.empty() else await asyncio.open_connection(host, port)
        body = json.dumps({"question": question}).encode()
        headers = ["POST /api/v1/ask HTTP/1.1", "Host: x", "Content-Type: application/json"]
        writer.write("\r\n".join([*headers, f"Content-Length: {len(body)}", "", ""]).encode() + body)
        header = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in header.lower().split(b"\r\n") if b"content-length" in line)
        await reader.readexactly(length)
        tally.count(int(header.split()[1]), time.perf_counter() - started)
        idle.put((reader, writer))

    begun = time.perf_counter()
    tasks: list[asyncio.Task[None]] = []
    while (elapsed := time.perf_counter() - begun) < seconds:
        tasks += [asyncio.create_task(ask(next(fresh))) for _ in range(int(elapsed * rate) - len(tasks))]
        await asyncio.sleep(0.002)
    await asyncio.gather(*tasks)
    return tally


def _overload(address: str, rate: float, seconds: float, first: int) -> Tally:
    return asyncio.run(overload(address, rate, seconds, first))


def measure(index: Path, seconds: float, overload_seconds: float) -> list[tuple[str, str]]:
    """Rows of what was measured and its value."""
    cold = []
    for _ in range(_TURNS - 1):
        with serving(index) as served:
            cold.append(served.first_answer)
    with serving(index) as served, multiprocessing.get_context("spawn").Pool(_CLIENTS) as pool:
        cold.append(served.first_answer)
        torch = any("libtorch" in mapped.path for mapped in served.process.memory_maps())
        together(pool.starmap, served.address, 4, 2, 10_000_000)
        costs: list[float] = []  # CPU ms a question
        alone, crowd, fresh = [], [], count(20_000_000, 10_000_000)
        for _ in range(_TURNS):
            worked = served.cpu()
            alone += together(pool.starmap, served.address, 1, seconds, next(fresh))
            costs.append(1000 * (served.cpu() - worked) / len(alone[-1].answered))
            crowd.append(together(pool.starmap, served.address, _CLIENTS, seconds, next(fresh)))
        memory = served.process.memory_info().rss / 1e6
        single = Tally([second for tally in alone for second in tally.answered])
        rates = [len(tally.answered) / seconds for tally in alone]
        crowds = [sum(len(tally.answered) for tally in tallies) / seconds for tallies in crowd]
        ratios = [many / one for many, one in zip(crowds, rates, strict=True)]
        waits = Tally([second for tallies in crowd for tally in tallies for second in tally.answered])
        refused = sum(tally.refused for tallies in crowd for tally in tallies)
        rows = [
            (
                "start of `footnote serve` to the first answer",
                f"{statistics.median(cold):.2f} s (best {min(cold):.2f})",
            ),
            ("… CPU seconds until then", f"{served.first_answer_cpu:.2f}"),
            ("torch loaded by the server", "yes" if torch else "no"),
            ("resident memory after all of this", f"{memory:.0f} MB"),
            ("one client: p50, p95, p99", _milliseconds(single, 0.5, 0.95, 0.99)),
            ("one client: CPU of the server a question", f"{_spread(costs)} ms"),
            ("one client: answers a second", _spread(rates)),
            (f"{_CLIENTS} clients: answers a second", f"{_spread(crowds)}, {refused} told to come back in a second"),
            (f"{_CLIENTS} clients: p50, p99 of the answered", _milliseconds(waits, 0.5, 0.99)),
            (f"{_CLIENTS} clients to one", _spread(ratios)),
        ]
        if overload_seconds:
            rate = 4 * max(crowds)
            (flood,) = pool.starmap(_overload, [(served.address, rate, overload_seconds, next(fresh))])
            after = ask_for(served.address, 5, next(fresh))
            goodput = len(flood.answered) / overload_seconds
            rows += [
                (f"{rate:.0f} questions a second for {overload_seconds:.0f} s: answered", f"{goodput:.1f} a second"),
                ("… refused, failed", f"{flood.refused}, {flood.failed}"),
                ("… p50, p99 of the answered", _milliseconds(flood, 0.5, 0.99)),
                ("one client in the 5 s after: p50, p99", _milliseconds(after, 0.5, 0.99)),
            ]
        return rows


def _milliseconds(tally: Tally, *shares: float) -> str:
    return ", ".join(f"{tally.percentile(share):.0f}" for share in shares) + " ms"


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--index", type=Path, default=IndexSettings().index)
    arguments.add_argument("--seconds", type=float, default=5, help="of each turn")
    arguments.add_argument("--overload", type=float, default=60, help="seconds of four times the capacity; 0: none")
    args = arguments.parse_args()
    print("| | |\n|---|---|")
    for what, value in measure(args.index, args.seconds, args.overload):
        print(f"| {what} | {value} |")


if __name__ == "__main__":
    main()
