"""Several serving processes: uvicorn's workers, each with a socket of its own on the one port."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from uvicorn.supervisors.multiprocess import Multiprocess, Process

from indexes.console import FAILED
from web.errors import CannotStart
from web.serving.application import FAILURE, METRICS, Application

log = logging.getLogger(__name__)

_STOP = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
_GRACE = 6.0  # seconds to end in; open requests get three of them
_LONGEST_PAUSE = 30.0  # seconds
_WHILE = 60.0  # seconds in which deaths are counted
_ROUND = 0.5  # seconds between looks at what it was told
_IN_MEMORY = Path("/dev/shm")


def run(application: Application) -> int:
    """Serve until told to stop (then the number of the signal, negative), or until the first process fails to start.

    Raises CannotStart where that one says why.
    """
    memory = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="footnote-", dir=memory))
    metrics = folder / METRICS
    metrics.mkdir()
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(metrics)  # read by prometheus_client where it is loaded
    try:
        workers = Workers(replace(application, folder=folder))
        workers.run()
        if (folder / FAILURE).exists():
            raise CannotStart((folder / FAILURE).read_text(encoding="utf-8"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return workers.status


class Workers(Multiprocess):
    """uvicorn's supervisor. Starts one process, and the others as soon as that one serves; ends the obstinate."""

    def __init__(self, application: Application) -> None:
        self._application = application
        at_hangup = signal.getsignal(signal.SIGHUP)
        super().__init__(application.config(), [application.listener])
        if at_hangup is signal.SIG_IGN:  # nohup
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self.status = FAILED  # unless told to stop
        self._deaths: list[float] = []
        self._pause_ends = 0.0

    def init_processes(self) -> None:
        first = self._start()
        while not first.is_ready(_ROUND):
            self.handle_signals()
            if self.should_exit.is_set():
                return
            if not first.process.is_alive():
                self.status = first.exitcode or FAILED
                self.should_exit.set()
                return
            time.sleep(0.02)
        self.config.app = replace(self._application, announces=False)
        for _ in range(1, self.processes_num):
            self._start()

    def _start(self) -> Process:
        process = Process(self.config, self.sockets)
        process.start()
        self.processes.append(process)
        return process

    def keep_subprocess_alive(self) -> None:
        """Replace what has died: at once or, if it was not the first in a minute, with a pause until the next time."""
        now = time.monotonic()
        if now < self._pause_ends:
            return
        before = list(self.processes)
        try:
            super().keep_subprocess_alive()
        except OSError as error:  # there is no memory for another, or no descriptor: those that serve go on
            log.warning("A serving process cannot be started (%s): it is tried again.", error)
        for process in before:
            if process not in self.processes:
                self._note_death(process, now)

    def _note_death(self, process: Process, now: float) -> None:
        from prometheus_client.multiprocess import mark_process_dead  # costs the start a tenth of a second

        mark_process_dead(process.pid)  # type: ignore[no-untyped-call]  # what it had under way, it has no more
        log.warning("A serving process ended (%s): another takes its place.", _reason(process.exitcode or 0))
        self._deaths = [*(death for death in self._deaths if now - death < _WHILE), now]
        self._pause_ends = now + min(_LONGEST_PAUSE, 2.0 ** (len(self._deaths) - 1) - 1)

    def join_all(self) -> None:
        """Wait until all have ended; kill them where that takes too long, or when told a second time by Ctrl-C."""
        ends = time.monotonic() + _GRACE
        while any(process.process.is_alive() for process in self.processes):
            if time.monotonic() > ends or signal.SIGINT in self.signal_queue:
                for process in self.processes:
                    process.process.kill()
            time.sleep(0.02)

    def handle_signals(self) -> None:
        """A terminal that is closed ends the server too, as it does where one process serves."""
        while self.signal_queue:  # one by one: another may come meanwhile
            number = self.signal_queue.pop(0)
            if number in _STOP:
                self.status = -number
                self.should_exit.set()


def _reason(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"exit status {status}"
