"""What serving costs: `python -m benchmarks.serving --index DIR [--seconds 5] [--overload 60]`.

Starts `footnote serve` as its users do and asks over HTTP from a process beside it, each question in words not asked
before (so that no vector is remembered). Prints a Markdown table; on a busy machine, CPU times and ratios are what
holds.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TypeAlias

from benchmarks.load import Tally, clients, flood
from benchmarks.processes import Processes
from indexes.settings import IndexSettings
from web.serving.listening import processes
from web.settings import Settings

Row: TypeAlias = tuple[str, str]  # what was measured, and its value
Load: TypeAlias = Callable[..., Tally]  # runs beside, not in this process

_TURNS = 3
_CLIENTS = 16
_TIMES = 4  # the capacity, in the overload
_AFTER = 5  # seconds
_PATIENCE = 60  # seconds


@dataclass(frozen=True, slots=True)
class Served:
    address: str
    pid: int
    first_answer: float  # seconds from the start of the command
    first_answer_cpu: float  # seconds of work until then

    def processes(self) -> Processes:
        """All that serve, as soon as they do."""
        until = time.monotonic() + _PATIENCE
        while (processes := Processes.of(self.pid)).serving() < self._serving():
            if time.monotonic() > until:
                raise TimeoutError("not all processes of the server have started")
            time.sleep(0.05)
        return processes

    @staticmethod
    def _serving() -> int:
        return processes(Settings().workers)


@contextmanager
def serving(index: Path) -> Iterator[Served]:
    """`footnote serve` on a free port, from its start to its first answer and after."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "FOOTNOTE_LOG_LEVEL": "warning",
            **os.environ,
            "FOOTNOTE_JOURNAL": f"{folder}/journal.sqlite",
            "FOOTNOTE_KEYS": f"{folder}/keys.sqlite",
        }
        command = [sys.executable, "-m", "web", "serve", "--port", "0", "--index", str(index)]
        started = time.perf_counter()
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
        ) as process:  # its log is written, as it is for its users, and thrown away
            assert process.stdout is not None
            address = process.stdout.readline().split()[-1]
            clients(address, 1, 0.001, 0)
            first_answer = time.perf_counter() - started
            yield Served(address, process.pid, first_answer, Processes.of(process.pid).cpu())
            process.terminate()


@dataclass(frozen=True, slots=True)
class Measured:
    """Turns of one client and of a crowd, one after the other; `seconds` each."""

    alone: list[Tally]
    crowd: list[Tally]
    costs: list[float]  # CPU ms of the server a question, asked by one client
    crowd_costs: list[float]
    seconds: float

    @property
    def peak(self) -> float:
        """Answers a second."""
        return max(self._rates(self.alone + self.crowd))

    def rows(self) -> list[Row]:
        alone, crowd = together(self.alone), together(self.crowd)
        ratios = [len(many.answered) / len(one.answered) for many, one in zip(self.crowd, self.alone, strict=True)]
        return [
            ("one client: p50, p95, p99", _milliseconds(alone, 0.5, 0.95, 0.99)),
            ("one client: CPU of the server a question", f"{_spread(self.costs)} ms"),
            ("one client: answers a second", _spread(self._rates(self.alone))),
            (f"{_CLIENTS} clients: answers a second", _spread(self._rates(self.crowd))),
            (f"{_CLIENTS} clients: CPU of the server a question", f"{_spread(self.crowd_costs)} ms"),
            (
                f"{_CLIENTS} clients: p50, p99; refused, failed",
                f"{_milliseconds(crowd, 0.5, 0.99)}; {crowd.refused}, {crowd.failed}",
            ),
            (f"{_CLIENTS} clients to one", _spread(ratios)),
            ("CPU of the clients a question", f"{1000 * crowd.cpu / len(crowd.answered):.2f} ms"),
        ]

    def _rates(self, tallies: Sequence[Tally]) -> list[float]:
        return [len(tally.answered) / self.seconds for tally in tallies]


def loads(served: Served, load: Load, seconds: float) -> Measured:
    server = served.processes()
    load(clients, served.address, 4, 3, 10_000_000)  # warm
    measured, fresh = Measured([], [], [], [], seconds), count(20_000_000, 10_000_000)
    for _ in range(_TURNS):
        for number, tallies, costs in (
            (1, measured.alone, measured.costs),
            (_CLIENTS, measured.crowd, measured.crowd_costs),
        ):
            worked = server.cpu()
            tallies.append(load(clients, served.address, number, seconds, next(fresh)))
            costs.append(1000 * (server.cpu() - worked) / len(tallies[-1].answered))
    return measured


def overload(served: Served, load: Load, measured: Measured, seconds: float) -> list[Row]:
    """Four times as many questions as are answered at most, and one client right after that."""
    rate = _TIMES * measured.peak
    flooded = load(flood, served.address, rate, seconds, 900_000_000)
    after = load(clients, served.address, 1, _AFTER, 800_000_000)
    goodput, alone = len(flooded.answered) / seconds, together(measured.alone)
    late = flooded.percentile(0.99) / alone.percentile(0.99)
    return [
        (
            f"{rate:.0f} questions a second for {seconds:.0f} s: answered",
            f"{goodput:.1f} a second, {100 * goodput / measured.peak:.0f} % of the most",
        ),
        ("… refused; without Retry-After; failed", f"{flooded.refused}; {flooded.untold}; {flooded.failed}"),
        ("… p50, p99 of the answered", f"{_milliseconds(flooded, 0.5, 0.99)}; {late:.1f} times one client's p99"),
        ("… CPU of the clients", f"{100 * flooded.cpu / seconds:.0f} % of a core"),
        (
            f"one client in the {_AFTER} s after: p50, p99; refused",
            f"{_milliseconds(after, 0.5, 0.99)}; {after.refused}",
        ),
    ]


def measure(index: Path, seconds: float, overload_seconds: float) -> list[Row]:
    cold = []
    for _ in range(_TURNS - 1):
        with serving(index) as served:
            cold.append(served.first_answer)
    with serving(index) as served, multiprocessing.get_context("spawn").Pool(1) as pool:

        def beside(load: Load, *arguments: object) -> Tally:
            return pool.apply(load, arguments)

        cold.append(served.first_answer)
        server = served.processes()
        torch = server.has_loaded("libtorch")
        before = server.memory()
        measured = loads(served, beside, seconds)
        rows = [
            (
                "start of `footnote serve` to the first answer",
                f"{statistics.median(cold):.2f} s (best {min(cold):.2f})",
            ),
            ("… CPU seconds until then", f"{served.first_answer_cpu:.2f}"),
            ("torch loaded by the server", "yes" if torch else "no"),
            *measured.rows(),
            *(overload(served, beside, measured, overload_seconds) if overload_seconds else ()),
        ]
        return [
            *rows,
            (
                f"memory of all {len(server.all)} processes: at first, after all of this (PSS)",
                f"{before:.0f}, {server.memory():.0f} MB",
            ),
        ]


def together(tallies: Sequence[Tally]) -> Tally:
    return Tally(
        [seconds for tally in tallies for seconds in tally.answered],
        *(sum(getattr(tally, name) for tally in tallies) for name in ("refused", "failed", "untold", "cpu")),
    )


def _milliseconds(tally: Tally, *shares: float) -> str:
    return ", ".join(f"{tally.percentile(share):.0f}" for share in shares) + " ms"


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--index", type=Path, default=IndexSettings().index)
    arguments.add_argument("--seconds", type=float, default=5, help="of each turn")
    arguments.add_argument(
        "--overload", type=float, default=60, help=f"seconds of {_TIMES} times the capacity; 0: none"
    )
    args = arguments.parse_args()
    print("| | |\n|---|---|")
    for what, value in measure(args.index, args.seconds, args.overload):
        print(f"| {what} | {value} |")


if __name__ == "__main__":
    main()
