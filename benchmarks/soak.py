"""Measures whether the server's memory grows: `python -m benchmarks.soak --index DIR [--minutes 30]`, for row R14.

Visitors ask, search, read, stream and leave halfway, without a pause. No two questions are the same, but their words
are those of a language: new words go to bounded caches (`indexes/search/analysis.py`), up to
200,000. Memory is that of all processes (PSS), read every 10 seconds; its slope is a line through the second half by
least squares: caches fill in the first.
Exit code 1 where it grows by 1 % in 10 minutes or more.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import httpx2
import numpy as np

from benchmarks.processes import Processes
from benchmarks.serving import serving
from indexes.settings import IndexSettings

_EVERY = 10.0  # seconds
_VISITORS = 4
_LIMIT = 1.0  # per cent in 10 minutes
_WORDS = """tokens caching deployments queues indexes retries logs schemas tests latency rollback canary session cookie
header gateway replica shard backup restore metric alert trace secret certificate webhook payload cursor batch stream
timeout breaker bulkhead quota tenant migration lock deadlock isolation snapshot partition consumer producer offset
checksum digest scope audience issuer claim""".split()


class Visitor(threading.Thread):
    """Uses all of the site, in turns. Counts what it was answered."""

    def __init__(self, address: str, number: int, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self._client = httpx2.Client(base_url=address, timeout=60)
        self._number = number
        self._stop_asking = stop
        self.statuses: Counter[int] = Counter()

    def run(self) -> None:
        for turn in itertools.count():
            if self._stop_asking.is_set():
                return
            question = "How do I set up {} with {} and {} for {}?".format(*self._words(turn))
            self.statuses[self._visit(turn % 6, question)] += 1

    def _words(self, turn: int) -> list[str]:
        """Four words, another four at every turn of every visitor."""
        number = turn * _VISITORS + self._number
        return [_WORDS[number // len(_WORDS) ** digit % len(_WORDS)] for digit in range(4)]

    def _visit(self, kind: int, question: str) -> int:
        if kind == 0:
            return self._client.post("/api/v1/ask", json={"question": question}).status_code
        if kind == 1:
            return self._client.get("/api/v1/search", params={"q": question}).status_code
        if kind == 2:
            return self._client.get("/browse", params={"q": question[:30]}).status_code
        if kind == 3:
            with self._client.stream("POST", "/api/v1/ask/stream", json={"question": question}) as stream:
                next(stream.iter_raw())  # and away
                return stream.status_code
        if kind == 4:
            return self._client.post("/", data={"question": question}).status_code
        return self._client.get("/nowhere").status_code


def main() -> int:
    parser = argparse.ArgumentParser(description="The memory of a server under load, over time.")
    parser.add_argument("--index", type=Path, default=IndexSettings().index)
    parser.add_argument("--minutes", type=float, default=30)
    args = parser.parse_args()
    with serving(args.index) as served:
        stop = threading.Event()
        visitors = [Visitor(served.address, number, stop) for number in range(_VISITORS)]
        for visitor in visitors:
            visitor.start()
        samples = sampled(served.processes(), args.minutes * 60)
        stop.set()
        for visitor in visitors:
            visitor.join()
    statuses = sum((visitor.statuses for visitor in visitors), Counter[int]())
    return report(samples, statuses)


def sampled(server: Processes, seconds: float) -> list[tuple[float, float, int, int]]:
    """(seconds since the start, MB in memory, threads, descriptors), every 10 seconds."""
    started = time.monotonic()
    samples = []
    while (passed := time.monotonic() - started) < seconds:
        samples.append((passed, server.memory(), server.threads(), server.descriptors()))
        time.sleep(_EVERY)
    return samples


def report(samples: list[tuple[float, float, int, int]], statuses: Counter[int]) -> int:
    half = samples[len(samples) // 2 :]
    at, memory = np.array([s[0] for s in half]), np.array([s[1] for s in half])
    slope = float(np.polyfit(at, memory, 1)[0]) * 600 / float(memory.mean()) * 100
    print("| what | figure |\n|---|---|")
    print(f"| requests in {samples[-1][0] / 60:.0f} min, by status | {dict(sorted(statuses.items()))} |")
    print(f"| memory of all processes, first to last | {samples[0][1]:.0f} to {samples[-1][1]:.0f} MB |")
    print(f"| slope of the second half | {slope:+.2f} % in 10 min |")
    print(f"| threads, descriptors at the middle and at the end | {half[0][2:]}, {half[-1][2:]} |")
    return int(slope >= _LIMIT or any(status >= 500 and status != 503 for status in statuses))


if __name__ == "__main__":
    sys.exit(main())
