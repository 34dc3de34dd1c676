"""What /metrics counts, and that docs/operations.md says so."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from indexes.models.embedding import Embedder
from tests.conftest import ROOT, Site, make_services
from web.admission import WorkSlots
from web.app import create_app
from web.services import Services

ASK = "/api/v1/ask"
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


class Observed:
    """The tiny site with its figures, asked in this process: nothing else moves them."""

    def __init__(self, client: TestClient, services: Services, slots: WorkSlots) -> None:
        self.slots = slots
        self.client = client
        self.services = services

    def figures(self) -> dict[tuple[str, frozenset[str]], float]:
        """By name and the values of the labels."""
        answered = self.client.get("/metrics")
        assert answered.headers["content-type"].startswith("text/plain; version=0.0.4")
        families = text_string_to_metric_families(answered.text)
        return {(s.name, frozenset(s.labels.values())): s.value for family in families for s in family.samples}

    def figure(self, name: str, *labels: str) -> float:
        return self.figures().get((name, frozenset(labels)), 0.0)


@pytest.fixture
def observed(tiny_site: Site, embedder: Embedder, tmp_path: Path) -> Iterator[Observed]:
    slots = WorkSlots(2, 64)
    with make_services(tiny_site.index, embedder, tmp_path) as made:
        services = replace(made, degraded=("vectors",))
        services.figures.watch(services.store, slots, services.journal, services.degraded)
        app = create_app(services, 262_144, slots, recorders=[services.figures.counted])
        with TestClient(app, "http://127.0.0.1", client=("127.0.0.1", 50_000)) as client:
            yield Observed(client, services, slots)


def test_requests_are_counted_by_route_whatever_the_path(observed: Observed) -> None:
    for id in ("tokens", "retries", "caching"):
        observed.client.get(f"/api/v1/articles/{id}")
    for path in ("/wp-login.php", "/.env", "/api/v1/../../x"):
        observed.client.get(path)
    observed.client.request("BREW", "/coffee")
    observed.client.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "ping"})
    assert observed.figure("footnote_requests_total", "GET", "/api/v1/articles/{article_id}", "200") == 3
    assert observed.figure("footnote_requests_total", "POST", "/mcp", "200") == 1
    assert observed.figure("footnote_requests_total", "GET", "other", "404") == 3
    assert observed.figure("footnote_requests_total", "other", "404") == 1  # the method and the route
    assert observed.figure("footnote_request_seconds_count", "/api/v1/articles/{article_id}") == 3


def test_questions_are_counted_by_what_came_of_them_and_timed_by_stage(observed: Observed) -> None:
    asked = ["How long does an access token live?"] * 2 + ["Who won the 1998 football world cup?", "thanks!"]
    for question in asked:
        observed.client.post(ASK, json={"question": question})
    assert [observed.figure("footnote_answers_total", kind) for kind in ("answer", "refusal", "courtesy")] == [2, 1, 1]
    assert observed.figure("footnote_answer_seconds_count") == 3
    for stage in (
        "keywords",
        "embedding",
        "vectors",
        "scoring",
        "fusing",
        "loading passages",
        "reading",
        "writing",
        "relating",
    ):
        assert observed.figure("footnote_stage_seconds_count", stage) == 3, stage
    assert observed.figure("footnote_question_vectors_total", "remembered") == 1
    assert observed.figure("footnote_question_vectors_total", "embedded") == 2


def test_what_is_served_and_what_is_missing_is_told(observed: Observed) -> None:
    corpus = observed.services.store.current()
    assert observed.figure("footnote_index_articles") == 5
    assert observed.figure("footnote_index_chunks") == corpus.chunk_count
    assert observed.figure("footnote_index_generation") == 1
    assert 0 < observed.figure("footnote_index_age_seconds") < 86_400
    assert observed.figure("footnote_degraded", "vectors") == 1
    assert observed.figure("footnote_degraded", "snapshot") == 0


def test_who_works_waits_and_was_turned_away_is_told(observed: Observed) -> None:
    async def crowd() -> None:
        slots = [await observed.slots.take(), await observed.slots.take()]
        waiting = asyncio.create_task(observed.slots.take())
        await asyncio.sleep(0)
        assert observed.slots.working == 2
        assert observed.slots.waiting == 1
        for slot in slots:
            slot.give_back()
        (await waiting).give_back()

    asyncio.run(crowd())
    observed.slots.refuse()
    assert observed.figure("footnote_requests_turned_away_total") == 1
    assert observed.figure("footnote_requests_working") == 0  # /metrics takes no turn
    assert observed.figure("footnote_requests_waiting") == 0


def test_a_journal_that_fails_is_counted(observed: Observed) -> None:
    observed.services.journal.close()
    observed.client.post(ASK, json={"question": "How long does an access token live?"})
    assert observed.figure("footnote_journal_failures_total") >= 1


def test_no_word_of_what_is_asked_gets_into_the_figures(observed: Observed) -> None:
    for path in ("/canary-1", f"{ASK}?q=canary-1"):
        observed.client.post(path, json={"question": "canary-1"}, headers={"cookie": "canary-1=canary-1"})
    assert "canary-1" not in observed.client.get("/metrics").text


def test_the_table_of_metrics_is_complete_and_names_the_labels(observed: Observed) -> None:
    observed.client.post(ASK, json={"question": "How long does an access token live?"})
    told = {name: set(labels) for name, labels in exposed(observed.client.get("/metrics").text)}
    written = {
        name: set(re.findall(r"`(\w+)`", labels.split(":")[0] if ":" in labels else labels))
        for names, labels in re.findall(r"^\| (`footnote_[^|]+) \| ([^|]*) \|", OPERATIONS, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", names)
    }
    assert written == told


def exposed(text: str) -> Iterator[tuple[str, set[str]]]:
    for family in text_string_to_metric_families(text):
        if family.name.startswith("footnote_"):
            labels = {label for sample in family.samples for label in sample.labels} - {"le"}
            yield family.name + ("_total" if family.type == "counter" else ""), labels


def test_the_alerts_use_metrics_there_are() -> None:
    named = set(re.findall(r"footnote_\w+", OPERATIONS.split("## Alerts")[1]))
    table = OPERATIONS.split("## Metrics")[1].split("## Alerts")[0]
    for name in named:
        assert f"`{name.removesuffix('_bucket')}`" in table, name
