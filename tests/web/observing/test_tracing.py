"""Spans of requests and of the stages of answering, with the SDK's own exporter and with a collector on a socket."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.testclient import TestClient

from indexes.models.embedding import Embedder
from tests.conftest import ROOT, Site, make_services
from web.admission import WorkSlots
from web.app import create_app
from web.composition import tracing_to
from web.observing.tracing import Tracing, to_collector

ASK = "/api/v1/ask"
CANARY = "canary-7d1f"
STAGES = {"keywords", "embedding", "vectors", "scoring", "fusing", "loading passages", "reading", "writing", "relating"}


class Traced:
    def __init__(self, site: Site, embedder: Embedder, folder: Path, processor: SpanProcessor) -> None:
        self.tracing = Tracing(processor)
        self.open = ExitStack()
        services = self.open.enter_context(make_services(site.index, embedder, folder, self.tracing))
        self.client = TestClient(self.tracing.around(create_app(services, 262_144, WorkSlots(2, 64))))

    def close(self) -> None:
        self.tracing.close()
        self.open.close()


@pytest.fixture
def exported() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def traced(tiny_site: Site, embedder: Embedder, tmp_path: Path, exported: InMemorySpanExporter) -> Iterator[Traced]:
    traced = Traced(tiny_site, embedder, tmp_path, SimpleSpanProcessor(exported))
    yield traced
    traced.close()


def stages_and_request(spans: Sequence[ReadableSpan]) -> tuple[list[ReadableSpan], ReadableSpan]:
    return list(spans[:-1]), spans[-1]


@pytest.mark.parametrize("path", [ASK, f"{ASK}/stream"])
def test_an_answer_is_a_span_with_one_for_each_stage_inside_its_time(
    traced: Traced, exported: InMemorySpanExporter, path: str
) -> None:
    answered = traced.client.post(path, json={"question": "How long does an access token live?"})
    stages, request = stages_and_request(exported.get_finished_spans())
    assert request.name == f"POST {path}"
    assert request.attributes is not None
    assert request.attributes["http.response.status_code"] == 200
    assert request.attributes["http.route"] == path
    assert request.attributes["footnote.request_id"] == answered.headers["x-request-id"]
    assert request.attributes["footnote.kind"] == "answer"
    assert {span.name for span in stages} == STAGES
    for span in stages:
        assert span.parent is not None
        assert request.context is not None
        assert span.parent.span_id == request.context.span_id
        assert (request.start_time or 0) <= (span.start_time or 0) <= (span.end_time or 0) <= (request.end_time or 0)


def test_a_request_belongs_to_the_trace_that_the_client_names(traced: Traced, exported: InMemorySpanExporter) -> None:
    trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    traced.client.get("/livez", headers={"traceparent": f"00-{trace}-{parent}-01"})
    traced.client.get("/livez", headers={"traceparent": "rubbish"})
    named, own = exported.get_finished_spans()
    assert named.context is not None
    assert named.parent is not None
    assert (f"{named.context.trace_id:032x}", f"{named.parent.span_id:016x}") == (trace, parent)
    assert own.parent is None


def test_no_word_of_what_is_sent_gets_into_a_span(traced: Traced, exported: InMemorySpanExporter) -> None:
    traced.client.post(f"{ASK}?x={CANARY}", json={"question": CANARY}, headers={"user-agent": CANARY})
    traced.client.get(f"/articles/{CANARY}", headers={"cookie": f"a={CANARY}"})
    spans = exported.get_finished_spans()
    assert len(spans) > 2
    assert CANARY not in "".join(span.to_json() for span in spans)


def test_a_collector_gets_the_spans(tiny_site: Site, embedder: Embedder, tmp_path: Path) -> None:
    received: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Collector) as collector:
        thread = Thread(target=collector.serve_forever)
        thread.start()
        traced = Traced(tiny_site, embedder, tmp_path, to_collector(f"http://127.0.0.1:{collector.server_port}/"))
        with traced.client as client:
            client.post(ASK, json={"question": "How long does an access token live?"})
        assert len(received) == 1  # sent before it says that it is done: what comes after may be a signal
        traced.close()
        collector.shutdown()
        thread.join()
    ((path, body),) = received
    assert path == "/v1/traces"
    (resource,) = ExportTraceServiceRequest.FromString(body).resource_spans
    names = {span.name for scope in resource.scope_spans for span in scope.spans}
    assert names == STAGES | {f"POST {ASK}"}
    assert "footnote" in [attribute.value.string_value for attribute in resource.resource.attributes]


def test_without_the_setting_nothing_of_it_is_loaded() -> None:
    assert tracing_to("") is None
    code = (
        "import sys, web.app, web.commands.serve, web.middleware.authentication, web.observing.metrics\n"
        "sys.exit(any(name.startswith(('opentelemetry.sdk', 'opentelemetry.exporter')) for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_without_the_extra_the_server_says_what_to_install(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['opentelemetry.sdk'] = sys.modules['opentelemetry.exporter'] = None\n"
        "from web.cli import main; sys.exit(main(['serve']))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        env={
            "FOOTNOTE_WORKERS": "1",
            "FOOTNOTE_OTLP_ENDPOINT": "http://localhost:4318",
            "FOOTNOTE_INDEX": str(tmp_path),
        },
    )
    assert ran.returncode == 1
    assert "pip install 'footnote[telemetry]'" in ran.stderr
