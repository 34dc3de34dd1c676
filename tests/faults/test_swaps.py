"""R6: snapshots are swapped under load: no request fails, no answer mixes two of them, nothing is left open."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from indexes.snapshots.publishing import current_generation
from indexes.snapshots.store import SnapshotStore
from tests.faults.conftest import figure
from tests.faults.ingests import Driver, write_revision
from tests.faults.serving import Client, Server, eventually

Tell = Callable[[str], None]
Serve = Callable[[Path], Server]
CLIENTS = 50
SECONDS = figure(60, 12)
SWAPS = figure(50, 10)


class Visitor(threading.Thread):
    """Asks, searches and lists without a pause; remembers what went wrong."""

    def __init__(self, client: Client, stop: threading.Event, turn: int) -> None:
        super().__init__()
        self._client = client
        self._stop_asking = stop
        self._turn = turn
        self.served = self.turned_away = 0
        self.revisions: set[str] = set()
        self.wrong: list[str] = []

    def run(self) -> None:
        for number in itertools.count(self._turn):
            if self._stop_asking.is_set():
                return
            try:
                self._check(*self._request(number))
            except (OSError, http.client.HTTPException) as error:
                self.wrong.append(repr(error))

    def _request(self, number: int) -> tuple[int, Any]:
        if number % 4 == 0:
            return self._client.get("/api/v1/articles?limit=50")
        if number % 4 == 1:
            return self._client.get(f"/api/v1/search?q=restart+service+{number % 5}")
        return self._client.ask(f"Which port does the service {number % 5} listen on, asked {number}?")

    def _check(self, status: int, body: Any) -> None:
        if status == 503:  # more than the machine can do: a client comes again when it is told to
            self.turned_away += 1
            self._stop_asking.wait(1)
            return
        self.served += 1
        if status != 200:
            self.wrong.append(f"{status}: {body}")
            return
        answer = {key: value for key, value in body.items() if key not in ("question", "standalone_question")}
        found = set(re.findall(r"revision (r\d+)", json.dumps(answer)))
        self.revisions |= found
        if len(found) != 1:
            self.wrong.append(f"revisions {found} in one answer")


def test_snapshots_swapped_under_load_fail_no_request_and_leave_nothing_open(
    driver: Driver, source: Path, root: Path, serve: Serve, tell: Tell
) -> None:
    write_revision(source, 1)
    assert driver.ingest(source, root).code == 0
    server, stop = serve(root), threading.Event()
    first = server.client()
    assert first.ask("Which port does the service 2 listen on?")[0] == 200
    before, _ = server.handles(root)
    visitors = [Visitor(server.client(), stop, turn) for turn in range(CLIENTS)]
    for visitor in visitors:
        visitor.start()
    started = time.monotonic()
    for number in range(2, SWAPS + 2):
        write_revision(source, number)
        assert driver.ingest(source, root).code == 0
        time.sleep(max(0.0, started + (number - 1) * SECONDS / SWAPS - time.monotonic()))
    took = time.monotonic() - started
    stop.set()
    for visitor in visitors:
        visitor.join()
    assert [wrong for visitor in visitors for wrong in visitor.wrong] == []
    server.close_clients()
    eventually(lambda: only_current_is_open(server, root), 5)
    eventually(lambda: server.handles(root)[0] <= before + 2, 10)
    turned_away = sum(v.turned_away for v in visitors)
    served, seen = sum(v.served for v in visitors), set().union(*(v.revisions for v in visitors))
    assert len(seen) >= SWAPS // 2  # otherwise the swaps were not under load
    tell(
        f"R6: {SWAPS} swaps in {took:.0f} s under {CLIENTS} clients: {served} answers, 0 failed, 0 mixed "
        f"({turned_away} times 503 with Retry-After), {len(seen)} snapshots seen, no file of an old one left open"
    )


def only_current_is_open(server: Server, root: Path) -> bool:
    server.client().get("/readyz")
    current = str(root / str(current_generation(root)))
    return all(name.startswith(current) and "deleted" not in name for name in server.handles(root)[1])


def test_the_files_of_a_snapshot_that_has_been_replaced_are_closed(driver: Driver, source: Path, root: Path) -> None:
    for number in (1, 2):
        write_revision(source, number)
        assert driver.ingest(source, root).code == 0
    store = SnapshotStore(root, interval=0)
    assert "000002/vectors.faiss" in open_files()
    write_revision(source, 3)
    assert driver.ingest(source, root).code == 0
    assert store.current().generation == "000003"
    assert str(root / "000002") not in open_files()


def open_files() -> str:
    """What this process has open or mapped. Garbage is not collected first: a busy server need not either."""
    opened = [os.readlink(entry) for entry in Path("/proc/self/fd").iterdir() if entry.exists()]
    return "\n".join([*opened, Path("/proc/self/maps").read_text()])
