"""R12: a server that is told to stop says so in every open stream and is gone within 5 s. R13: readers who leave in the
midst of their streams cost no more work, and leave nothing behind."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import psutil  # type: ignore[import-untyped]
import pytest

from tests.conftest import Site
from tests.faults.conftest import figure
from tests.faults.serving import eventually
from tests.web.serving.test_draining import OURS, SlowServer, request, to_the_end

Tell = Callable[[str], None]
ASKING = request(*OURS)
STREAMS = 50
READERS = figure(1_000, 200)
AT_A_TIME = 100
_CANCELLED = 1.0  # seconds after which nothing more may begin


class Heard(SlowServer):
    """A server whose answers take two seconds, with what it said so far."""

    def __init__(self, index: Path, folder: Path) -> None:
        super().__init__(index, folder)
        self.said: list[str] = []
        assert self.process.stdout
        self._output = self.process.stdout
        self._hearing = Thread(target=self._hear)

    def listen(self) -> None:
        self._hearing.start()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        if self._hearing.is_alive():
            self._hearing.join()
        self._output.close()

    def _hear(self) -> None:
        for line in self._output:
            self.said.append(line.strip())

    def begun(self) -> int:
        return self.said.count("begun")

    def tasks(self) -> int:
        known = len(self.said)
        self.process.send_signal(signal.SIGUSR1)
        eventually(lambda: any(line.startswith("tasks") for line in self.said[known:]), 10)
        return next(int(line.split()[1]) for line in self.said[known:] if line.startswith("tasks"))


@pytest.fixture
def server(tiny_site: Site, tmp_path: Path) -> Iterator[Heard]:
    server = Heard(tiny_site.index, tmp_path)
    yield server
    server.close()


def test_every_open_stream_is_told_and_the_server_is_gone_within_five_seconds(server: Heard, tell: Tell) -> None:
    streams = [server.stream(ASKING) for _ in range(STREAMS)]
    heads = [stream.recv(65_536) for stream in streams]
    assert all(head.startswith(b"HTTP/1.1 200") for head in heads)
    told_to_stop = time.monotonic()
    server.process.terminate()
    rests = [to_the_end(stream) for stream in streams]
    server.process.wait(timeout=60)
    took = time.monotonic() - told_to_stop
    assert all(b"event: interrupted" in head + rest for head, rest in zip(heads, rests, strict=True))
    assert took <= 5
    tell(f"R12: SIGTERM with {STREAMS} open streams: each told `interrupted`, gone after {took:.1f} s")


def test_readers_who_leave_cost_no_more_work_and_leave_nothing_behind(server: Heard, tell: Tell) -> None:
    server.listen()
    assert b"event: answer" in to_the_end(server.stream(ASKING))
    process = psutil.Process(server.process.pid)
    descriptors, tasks = process.num_fds(), server.tasks()
    for _ in range(READERS // AT_A_TIME):
        streams = [server.stream(ASKING) for _ in range(AT_A_TIME)]
        for stream in streams:
            assert stream.recv(65_536).startswith(b"HTTP/1.1 200")
            stream.close()
    time.sleep(_CANCELLED)
    begun, threads = server.begun(), process.num_threads()
    eventually(lambda: process.num_fds() <= descriptors + 1, 10)
    eventually(lambda: server.tasks() <= tasks, 10)
    time.sleep(3)  # longer than an answer takes: were any waiting, they would begin now
    assert server.begun() == begun
    assert process.num_threads() <= threads
    assert b"event: answer" in to_the_end(server.stream(ASKING))
    assert server.begun() == begun + 1
    assert begun < READERS / 2
    tell(
        f"R13: {READERS} readers left in the midst of their streams: {begun} answers were begun, none later than "
        f"{_CANCELLED:.0f} s after the last one left; no task, descriptor or thread left"
    )
