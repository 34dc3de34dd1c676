"""Measures whether one greedy key makes others wait: `python -m benchmarks.limits --index DIR [--seconds 10]`.

Starts `footnote serve` with rate limits, nobody let in without a key. One key asks a few questions a second, alone;
then again while another asks four times what the server can answer, and again while a stranger tries wrong keys as
often. On a busy machine the load itself takes time from the server: look at its CPU time.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from benchmarks.load import Tally, clients, flood
from benchmarks.processes import Processes
from indexes.settings import IndexSettings
from web.access.keys import Keys
from web.access.sqlite_keys import SqliteKeyStore

_RATE = 20  # questions a second that each key may ask
_QUIET = 15  # questions a second of the key that keeps to it
_TIMES = 4  # the capacity, by the key that does not
_WRONG = f"fn_{'0' * 12}_{'0' * 64}"


@dataclass(frozen=True, slots=True)
class Served:
    address: str
    pid: int
    quiet: str
    loud: str

    def cpu(self) -> float:
        """Seconds the server has worked."""
        return Processes.of(self.pid).cpu()


@dataclass(frozen=True, slots=True)
class Turn:
    """What the key that keeps to its rate saw, what the other did, and how many cores the server worked on."""

    quiet: Tally
    loud: Tally
    cpu: float

    @property
    def p99(self) -> float:
        return self.quiet.percentile(0.99)


@contextmanager
def serving(index: Path, rate: str) -> Iterator[Served]:
    with tempfile.TemporaryDirectory() as folder:
        keys = Keys(SqliteKeyStore(Path(folder, "keys.sqlite")))
        quiet, loud = (keys.create(name, ("ask",))[1] for name in ("quiet", "loud"))
        environment = {
            **os.environ,
            "FOOTNOTE_JOURNAL": f"{folder}/journal.sqlite",
            "FOOTNOTE_KEYS": f"{folder}/keys.sqlite",
            "FOOTNOTE_TRUSTED_PROXIES": "127.0.0.1",
            "FOOTNOTE_RATE_ASK": rate,
        }
        command = [sys.executable, "-m", "web", "serve", "--port", "0", "--index", str(index)]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
        ) as process:
            assert process.stdout is not None
            yield Served(process.stdout.readline().split()[-1], process.pid, quiet, loud)
            process.terminate()
        keys.close()


def capacity(index: Path, seconds: float) -> float:
    """Answers a second to a crowd, without limits."""
    with serving(index, "") as served:
        clients(served.address, 4, 3, 1, served.quiet)  # warm
        return len(clients(served.address, 16, seconds, 10_000_000, served.quiet).answered) / seconds


def measure(index: Path, seconds: float, turns: int) -> Iterator[tuple[str, str]]:
    peak = capacity(index, 5)
    yield "answers a second at most, without limits", f"{peak:.0f}"
    with serving(index, f"{_RATE}/second") as served, multiprocessing.get_context("spawn").Pool(2) as pool:
        fresh = count(100_000_000, 10_000_000)

        def turn(key: str = "") -> Turn:
            worked = served.cpu()
            loud = pool.apply_async(flood, (served.address, _TIMES * peak, seconds, next(fresh), key)) if key else None
            quiet = pool.apply(flood, (served.address, _QUIET, seconds, next(fresh), served.quiet))
            return Turn(quiet, loud.get() if loud else Tally(), (served.cpu() - worked) / seconds)

        turn()  # warm
        taken = [(turn(), turn(served.loud), turn(_WRONG)) for _ in range(turns)]
    alone, *beside = zip(*taken, strict=True)
    yield f"{_QUIET} questions a second, alone: p50, p99", _percentiles(alone)
    for what, loud in zip(("a key over its limit", "a stranger with wrong keys"), beside, strict=True):
        late = [one.p99 / other.p99 for one, other in zip(loud, alone, strict=True)]
        lost = f"{sum(one.quiet.refused for one in loud)} refused, {sum(one.quiet.failed for one in loud)} failed"
        others = [one.loud for one in loud]
        yield (
            f"… beside {what}, {_TIMES * peak:.0f} requests a second: p50, p99",
            f"{_percentiles(loud)}; p99 {_spread(late)} times as long; {lost}",
        )
        yield (
            "… of those requests: answered; refused; without Retry-After",
            f"{sum(len(o.answered) for o in others)}; {sum(o.refused for o in others)} with 429 or 503, "
            f"{sum(o.failed for o in others)} with 401; {sum(o.untold for o in others)}",
        )
        costs = [1000 * (one.cpu - other.cpu) / (_TIMES * peak) for one, other in zip(loud, alone, strict=True)]
        yield "… CPU of the server for each of them", f"{_spread(costs)} ms"


def _percentiles(turns: Sequence[Turn]) -> str:
    return f"{_spread([turn.quiet.percentile(0.5) for turn in turns])}, {_spread([turn.p99 for turn in turns])} ms"


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--index", type=Path, default=IndexSettings().index)
    arguments.add_argument("--seconds", type=float, default=10, help="of each turn")
    arguments.add_argument("--turns", type=int, default=3)
    args = arguments.parse_args()
    print("| | |\n|---|---|")
    for what, value in measure(args.index, args.seconds, args.turns):
        print(f"| {what} | {value} |", flush=True)


if __name__ == "__main__":
    main()
