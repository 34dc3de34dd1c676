"""A warm process that forks an ingest in some 5 ms where a new interpreter needs a second: hundreds can be killed.

It reads one JSON order a line and answers each with one line. The ingest is the real one, through the real command
line; only the embedding model is replaced by one that is as deterministic and costs nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import select
import signal
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from indexes.console import OK, Commands, command, main, parser, show
from indexes.search.analysis import terms
from indexes.settings import IndexSettings
from indexes.snapshots.publisher import SnapshotPublisher
from indexes.types import EmbeddedBatch, EmbeddedPassage, PassageText
from ingest.chunking import Chunker
from ingest.sync import Synchroniser

_BATCH = 4
_TRACER_WAIT = 60.0  # seconds
_ANY_TRACER = ctypes.c_ulong(-1)
_SET_TRACER = 0x59616D61  # PR_SET_PTRACER, prctl(2)


@dataclass
class Hashing:
    """A vector says which words a text holds. Bears the id of a real model, so that a real server serves it."""

    id: str
    dimension: int = 384
    span_dimension: int = 384
    pause: float = 0.0  # seconds a batch takes

    def passage_batches(self, passages: Sequence[PassageText]) -> Iterator[EmbeddedBatch]:
        for start in range(0, len(passages), _BATCH):
            time.sleep(self.pause)
            yield EmbeddedBatch(tuple(map(self._embedded, passages[start : start + _BATCH])), truncated=0)

    def _embedded(self, passage: PassageText) -> EmbeddedPassage:
        spans = [self._vector(passage.text[start:end]) for start, end in passage.spans]
        return EmbeddedPassage(self._vector(passage.text), np.rint(np.stack(spans) * 127).astype(np.int8))

    def _vector(self, text: str) -> Any:
        vector = np.zeros(self.dimension, dtype=np.float32)
        for term in terms(text):
            vector[zlib.crc32(term.encode()) % self.dimension] += 1
        return vector / max(float(np.linalg.norm(vector)), 1e-12)


def ingest(order: dict[str, Any], chunker: Chunker, acknowledgement: int) -> int:
    """`footnote ingest` with the hashing embedder; its exit code. Acknowledged is what it has reported."""

    def run(args: argparse.Namespace, settings: IndexSettings) -> int:
        embedder = Hashing(order["model"], pause=order["pause"])
        root, source = Path(order["root"]), Path(order["source"])
        report = Synchroniser(SnapshotPublisher(root, 3), embedder, chunker, lambda *_: None).sync([source])
        show(args, {}, f"{report.generation}: {report.articles} articles {' '.join(report.notes)}")
        os.write(acknowledgement, b"!")
        return OK

    def add(commands: Commands) -> None:
        command(commands, "ingest", run, "")

    return main(parser("footnote", [add]), IndexSettings, ["ingest"])


def forked(order: dict[str, Any], chunker: Chunker) -> tuple[int, int]:
    """Start an ingest in a child; (its process id, the pipe of its acknowledgement)."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    code, started = 70, time.monotonic()
    try:
        os.close(reading)
        output = os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(output, 1)
        os.dup2(output, 2)
        sys.stdin = open(os.devnull)  # noqa: SIM115
        if order["traced"]:
            ctypes.CDLL(None).prctl(_SET_TRACER, _ANY_TRACER, 0, 0, 0)
            _await_tracer()
        code = ingest(order, chunker, writing)
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.write(2, f"{type(error).__name__}: {error}".encode())
    finally:
        with contextlib.suppress(OSError):  # a fault of the test's own making
            os.write(writing, f"{time.monotonic() - started:.4f}".encode())
        os._exit(code)


def _await_tracer() -> None:
    given_up = time.monotonic() + _TRACER_WAIT
    while "TracerPid:\t0\n" in Path("/proc/self/status").read_text():
        if time.monotonic() > given_up:
            raise TimeoutError("strace did not attach")
        time.sleep(0.002)


def ended(child: int, acknowledgement: int, kill_after: float | None) -> dict[str, Any]:
    """Wait for a child, killing it after so many seconds."""
    started = time.monotonic()
    descriptor = os.pidfd_open(child)
    if not select.select([descriptor], [], [], kill_after)[0]:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    os.close(descriptor)
    told = os.read(acknowledgement, 100).decode()
    os.close(acknowledgement)
    return {
        "code": os.waitstatus_to_exitcode(status),
        "acknowledged": told.startswith("!"),
        "seconds": float(told.lstrip("!") or time.monotonic() - started),
    }


def serve() -> None:
    chunker = Chunker(185)
    chunker.count("warm")
    running: dict[int, int] = {}
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "start":
            child, pipe = forked(order, chunker)
            running[child] = pipe
            answer: dict[str, Any] = {"process": child}
        else:
            child = order["process"]
            answer = ended(child, running.pop(child), order["kill_after"])
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    serve()
