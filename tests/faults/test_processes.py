"""Serving processes are killed under load, which costs what they had under way; and so is their supervisor."""

from __future__ import annotations

import http.client
import random
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from tests.faults.conftest import figure
from tests.faults.ingests import Driver, write_revision
from tests.faults.serving import PATIENCE, Client, Server, eventually

Tell = Callable[[str], None]
Serve = Callable[..., Server]
CLIENTS = 8
KILLS = figure(10, 3)
_ENDED = 10.0  # seconds in which processes without a supervisor are gone


class Asker(threading.Thread):
    """Asks without a pause over one connection, and over a new one where that breaks."""

    def __init__(self, client: Client, stop: threading.Event) -> None:
        super().__init__()
        self._client = client
        self._stop_asking = stop
        self.answered = self.broken = 0
        self.longest = 0.0  # seconds for an answer
        self.wrong: list[str] = []

    def run(self) -> None:
        while not self._stop_asking.is_set():
            asked = time.monotonic()
            try:
                status, answer = self._client.ask(f"Which port does service 2 listen on, asked {self.answered}?")
            except (OSError, http.client.HTTPException):
                self.broken += 1
                self._client.close()
                continue
            self.answered += 1
            self.longest = max(self.longest, time.monotonic() - asked)
            if status != 200 or "8002" not in str(answer["passages"]):
                self.wrong.append(f"{status}: {answer}")


def connections(process: psutil.Process) -> int:
    return sum(c.status == "ESTABLISHED" for c in process.net_connections("tcp"))


def indexed(driver: Driver, source: Path, root: Path) -> Path:
    write_revision(source, 1)
    assert driver.ingest(source, root).code == 0
    return root


def test_a_killed_process_costs_what_it_had_under_way_and_is_replaced(
    driver: Driver, source: Path, root: Path, serve: Serve, tell: Tell
) -> None:
    server, stop, chance = (
        serve(indexed(driver, source, root), FOOTNOTE_WORKERS="2"),
        threading.Event(),
        random.Random(5),
    )
    askers = [Asker(server.client(), stop) for _ in range(CLIENTS)]
    for asker in askers:
        asker.start()
    began = time.monotonic()
    cut_off, waits = zip(*(kill_one(server, chance) for _ in range(KILLS)), strict=True)
    took = time.monotonic() - began
    stop.set()
    for asker in askers:
        asker.join()
    assert [wrong for asker in askers for wrong in asker.wrong] == []
    broken, answered = sum(asker.broken for asker in askers), sum(asker.answered for asker in askers)
    # Who comes back before the supervisor has noticed is cut off once more.
    assert sum(cut_off) <= broken <= 2 * sum(cut_off)
    assert min(asker.answered for asker in askers) > 0
    tell(
        f"killed processes: {KILLS} in {took:.0f} s under {CLIENTS} clients: {answered} answers, {broken} cut off "
        f"({sum(cut_off)} were connected to the killed), the longest wait {max(a.longest for a in askers):.1f} s; "
        f"another served after at most {max(waits):.1f} s"
    )


def kill_one(server: Server, chance: random.Random) -> tuple[int, float]:
    """How many clients were connected to the killed process, and seconds until another served in its place."""
    eventually(lambda: sum(map(connections, server.workers())) == CLIENTS, PATIENCE)
    victim = chance.choice(server.workers())
    cut_off = connections(victim)
    victim.kill()
    return cut_off, eventually(lambda: replaced(server, victim), PATIENCE)


def replaced(server: Server, victim: psutil.Process) -> bool:
    return len(server.workers()) == 2 and victim not in server.workers() and server.listening() == 2


def test_processes_whose_supervisor_is_killed_end_and_leave_the_port_and_nothing_behind(
    driver: Driver, source: Path, root: Path, serve: Serve, tell: Tell
) -> None:
    server = serve(indexed(driver, source, root), FOOTNOTE_WORKERS="2")
    workers, shared = server.workers(), server.shared_folder()
    assert shared.is_dir()
    server.process.send_signal(signal.SIGKILL)
    took = eventually(lambda: not any(worker.is_running() for worker in workers), _ENDED)
    assert not shared.exists()
    tell(f"killed supervisor: its processes were gone after {took:.1f} s")
    successor = serve(root, FOOTNOTE_WORKERS="2", FOOTNOTE_PORT=server.address.rpartition(":")[2])
    assert successor.client().ask("Which port does service 2 listen on?")[0] == 200
