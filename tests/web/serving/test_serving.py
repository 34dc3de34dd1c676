"""`footnote serve` as its users start it: two processes on one port, which are one server to everybody."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx2
import psutil  # type: ignore[import-untyped]
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import ROOT, TINY, Site
from tests.web.live_servers import eventually
from web.access.keys import Keys, Scope
from web.access.sqlite_keys import SqliteKeyStore

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="several serving processes need Linux")

QUESTION = {"question": "How long does an access token live?"}
CONNECTIONS = 24


@dataclass
class Running:
    """Two serving processes and their supervisor."""

    address: str
    process: psutil.Process
    keys: Keys

    def serving(self) -> list[psutil.Process]:
        """The processes that listen."""
        children: list[psutil.Process] = self.process.children()
        return [child for child in children if any(c.status == "LISTEN" for c in child.net_connections("tcp"))]

    def key(self, *scopes: Scope) -> dict[str, str]:
        """The headers of somebody new."""
        return {"authorization": f"Bearer {self.keys.create('robot', scopes)[1]}"}

    def ask(self, headers: dict[str, str]) -> int:
        """The status. Over a connection of its own, so that either process may get it."""
        return httpx2.post(f"{self.address}/api/v1/ask", json=QUESTION, headers=headers, timeout=60).status_code

    def figures(self, headers: dict[str, str]) -> dict[str, float]:
        """What is told at /metrics, summed over labels."""
        text = httpx2.get(f"{self.address}/metrics", headers=headers).text
        sums: dict[str, float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
        return sums


@pytest.fixture(scope="module")
def running(tiny_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("running")
    environment = {
        **os.environ,
        "FOOTNOTE_MODELS": str(ROOT / "var" / "models"),
        "FOOTNOTE_JOURNAL": str(folder / "j.sqlite"),
        "FOOTNOTE_KEYS": str(folder / "k.sqlite"),
        "FOOTNOTE_RATE_ASK": "30/hour",
        "FOOTNOTE_PUBLIC_URL": "https://kb.example",
    }
    keys = Keys(SqliteKeyStore(folder / "k.sqlite"))
    keys.create("first", ("ask",))
    command = ["serve", "--port", "0", "--workers", "2", "--index", str(tiny_site.index)]
    with (
        closing(keys),
        subprocess.Popen(
            [sys.executable, "-m", "web", *command], stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT
        ) as server,
    ):
        assert server.stdout is not None
        running = Running(server.stdout.readline().split()[-1], psutil.Process(server.pid), keys)
        eventually(lambda: len(running.serving()) == 2)
        yield running
        server.terminate()
        server.wait(timeout=30)


def test_the_server_answers_without_loading_torch(running: Running) -> None:
    answer = httpx2.post(f"{running.address}/api/v1/ask", json=QUESTION, headers=running.key("ask"), timeout=60).json()
    assert answer["answered"] is True
    assert answer["degraded"] == []
    for process in running.serving():
        loaded = Path(f"/proc/{process.pid}/maps").read_text(encoding="utf-8")
        assert "onnxruntime" in loaded
        assert "torch" not in loaded


def test_a_caller_has_one_limit_whichever_process_answers(running: Running) -> None:
    key = running.key("ask")
    with ThreadPoolExecutor(8) as people:
        statuses = list(people.map(lambda _: running.ask(key), range(40)))
    assert (statuses.count(200), statuses.count(429)) == (30, 10)


def test_the_figures_are_those_of_all_processes(running: Running) -> None:
    keeper, asker = running.key("admin"), running.key("ask")
    before = running.figures(keeper)
    assert [running.ask(asker) for _ in range(CONNECTIONS)] == [200] * CONNECTIONS
    after = running.figures(keeper)
    assert after["footnote_answers_total"] - before["footnote_answers_total"] == CONNECTIONS
    assert after["footnote_answer_seconds_count"] - before["footnote_answer_seconds_count"] == CONNECTIONS
    assert after["footnote_index_articles"] == len(TINY)
    eventually(lambda: running.figures(keeper)["footnote_requests_working"] == 0)  # the other's are a second old
    of_each = [process.memory_info().rss for process in running.serving()]
    assert after["process_resident_memory_bytes"] > 1.5 * max(of_each)


def test_a_key_is_refused_by_every_process_as_soon_as_it_is_revoked(running: Running) -> None:
    key, presented = running.keys.create("robot", ("read",))
    headers = {"authorization": f"Bearer {presented}"}

    def statuses() -> set[int]:
        path = f"{running.address}/api/v1/tags"
        return {httpx2.get(path, headers=headers).status_code for _ in range(CONNECTIONS)}

    assert statuses() == {200}
    running.keys.revoke(key.id)
    assert statuses() == {401}


def test_a_conversation_goes_on_whichever_process_answers(running: Running) -> None:
    key, id = running.key("ask"), None
    for turn in range(1, 9):
        asked = {**QUESTION, **({"conversation_id": id} if id else {})}
        id = httpx2.post(f"{running.address}/api/v1/ask", json=asked, headers=key, timeout=60).json()["conversation_id"]
        kept = httpx2.get(f"{running.address}/api/v1/conversations/{id}", headers=key).json()
        assert len(kept["turns"]) == turn
