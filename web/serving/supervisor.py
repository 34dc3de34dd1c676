"""Keeps several serving processes alive: `python -m web.serving.supervisor LISTENERS LOG_FORMAT COMMAND…`.

Each process runs COMMAND and has a listening socket of its own on the one port. Where one dies, connections go to the
others; where none is left, they wait for a successor, as the sockets are open here too. `footnote serve` becomes this
process, which loads nothing but what is ours and the standard library: it costs 15 MB, and has little to fail by.
"""

from __future__ import annotations

import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from web.serving import listening
from web.serving.worker_slot import WorkerSlot

_SILENCE = 30.0  # seconds without a word from a process that serves, which speaks every second, until it is replaced
_GRACE = 6.0  # seconds to end in; open requests get three of them
_LONGEST_PAUSE = 30.0  # seconds before one more attempt to start a process
_SETTLED = 60.0  # seconds that a process has to live for its successor to start without a pause
_ROUND = 0.5  # seconds
_IN_MEMORY = Path("/dev/shm")


@dataclass(slots=True)
class Worker:
    """A serving process."""

    listener: int
    process: subprocess.Popen[bytes]
    beats: int  # descriptor from which its beats are read
    started: float
    heard: float | None = None  # when it last said that it lives; None: it does not serve yet
    failures: int = 0  # of its predecessors, one after the other


@dataclass(frozen=True, slots=True)
class Vacancy:
    """A socket that waits for a process."""

    listener: int
    since: float
    failures: int

    @property
    def over(self) -> float:
        """When the next one is started."""
        return self.since + (min(_LONGEST_PAUSE, 2.0 ** (self.failures - 2)) if self.failures > 1 else 0.0)


class Supervisor:
    """Starts one process, and the others as soon as that one serves; replaces each that ends or falls silent."""

    def __init__(self, listeners: Sequence[int], command: Sequence[str], folder: Path, say: Say) -> None:
        self._listeners = listeners
        self._command = command
        self._folder = folder
        self._say = say
        self._workers: list[Worker] = []
        self._vacancies: list[Vacancy] = []
        self._selector = selectors.DefaultSelector()
        self._serves = False  # whether any process ever has
        self._told_to_stop: list[int] = []

    def run(self) -> int:
        """Until told to stop (then the number of the signal, negative), or until the first process fails to start."""
        self._hear_signals()
        self._start(Vacancy(self._listeners[0], 0.0, 0))
        while not self._told_to_stop:
            for key, _ in self._selector.select(_ROUND):
                if isinstance(key.data, Worker) and not self._hear(key.data):
                    status = self._bury(key.data)
                    if not self._serves:
                        return status
            self._replace()
        self._stop()
        return -self._told_to_stop[0]

    def _hear_signals(self) -> None:
        reading, writing = os.pipe()
        for end in (reading, writing):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(writing)  # ends the wait of `select`
        self._selector.register(reading, selectors.EVENT_READ)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._told_to_stop.append(number)

    def _start(self, vacancy: Vacancy) -> None:
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        place = WorkerSlot(
            vacancy.listener, writing, str(self._folder), len(self._listeners), announces=not self._serves
        )
        place.metrics.mkdir(exist_ok=True)
        environment = {**os.environ, **place.environment()}
        try:
            process = subprocess.Popen(self._command, env=environment, pass_fds=(vacancy.listener, writing))
        except OSError:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        worker = Worker(vacancy.listener, process, reading, time.monotonic(), failures=vacancy.failures)
        self._workers.append(worker)
        self._selector.register(reading, selectors.EVENT_READ, worker)

    def _hear(self, worker: Worker) -> bool:
        """Whether it lives."""
        if not os.read(worker.beats, 4096):
            return False
        now = time.monotonic()
        if worker.heard is None:  # from now on nobody is to wait until another is started
            self._vacancies = [replace(v, listener=_left(v.listener)) if v.over > now else v for v in self._vacancies]
        worker.heard = now
        if not self._serves:
            self._serves = True
            self._vacancies += [Vacancy(listener, 0.0, 0) for listener in self._listeners[1:]]
        return True

    def _bury(self, worker: Worker) -> int:
        """What is to be done for a process that has ended, or closed its pipe; its exit status."""
        self._selector.unregister(worker.beats)
        os.close(worker.beats)
        self._workers.remove(worker)
        status = _end(worker.process)
        for figures in Path(self._folder).glob(f"*/gauge_live*_{worker.process.pid}.db"):
            figures.unlink()  # what it had under way, it has no more
        if self._serves:
            now = time.monotonic()
            settled = worker.heard is not None and now - worker.started > _SETTLED
            failures = 0 if settled else worker.failures + 1
            others = any(other.heard is not None and other.process.poll() is None for other in self._workers)
            listener = _left(worker.listener) if others else worker.listener
            self._vacancies.append(Vacancy(listener, now, failures))
            self._say(f"A serving process ended ({_reason(status)}): another takes its place.")
        return status

    def _replace(self) -> None:
        now = time.monotonic()
        for worker in self._workers:
            if worker.heard is not None and now - worker.heard > _SILENCE:
                self._say(f"A serving process has been silent for {_SILENCE:.0f} s: it is ended.")
                worker.process.kill()
                worker.heard = now
        for vacancy in [vacancy for vacancy in self._vacancies if vacancy.over <= now]:
            self._vacancies.remove(vacancy)
            try:
                self._start(vacancy)
            except OSError as error:  # there is no memory for another, or no descriptor: those that serve go on
                self._vacancies.append(Vacancy(vacancy.listener, now, vacancy.failures + 1))
                self._say(f"A serving process cannot be started ({error}): it is tried again.")

    def _stop(self) -> None:
        """End all processes: kindly, and at once where that takes too long, or when told a second time."""
        for worker in self._workers:
            worker.process.terminate()
        until = time.monotonic() + _GRACE
        while time.monotonic() < until and len(self._told_to_stop) < 2:
            if all(worker.process.poll() is not None for worker in self._workers):
                return
            time.sleep(0.02)
        for worker in self._workers:
            worker.process.kill()
            worker.process.wait()


class Say:
    """Writes to the log what only the supervisor knows, in the form that its processes use."""

    def __init__(self, format: str) -> None:
        """`format`: text or json."""
        self._format = format

    def __call__(self, message: str) -> None:
        level, logger = "WARNING", "web.serving.supervisor"
        if self._format == "json":
            line = {"level": level, "logger": logger, "message": message, "time": datetime.now(UTC).isoformat()}
            print(json.dumps(line), file=sys.stderr, flush=True)
        else:
            print(f"{level} {logger}: {message}", file=sys.stderr, flush=True)


def _left(listener: int) -> int:
    """A socket in place of one whose process has died, for its successor: nobody waits at it, as others serve."""
    try:
        return listening.in_place_of(listener)
    except OSError:  # no descriptor is left for another
        return listener


def _end(process: subprocess.Popen[bytes]) -> int:
    """The exit status of a process that should be over."""
    try:
        return process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _reason(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"exit status {status}"


def main(arguments: Sequence[str]) -> int:
    listeners, log_format, *command = arguments
    memory = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="footnote-", dir=memory))
    try:
        status = Supervisor(json.loads(listeners), command, folder, Say(log_format)).run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if status < 0:  # whoever waits for this process learns what ended it
        signal.signal(-status, signal.SIG_DFL)
        signal.raise_signal(-status)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
