"""Traces for OpenTelemetry: a span for each request, with one for each stage of answering; no text of questions.

Imported only where FOOTNOTE_OTLP_ENDPOINT is set; needs the extra `telemetry`.
"""

from __future__ import annotations

import time

import anyio
import anyio.to_thread
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qa.journal.records import kind_of
from qa.types import Answer
from web.observing.recording import notes_of

_NAME = "footnote"
_SERVER_ERROR = 500
_LAST_FLUSH = 2  # seconds for the collector to take the last spans at shutdown
_PROPAGATOR = TraceContextTextMapPropagator()


def to_collector(endpoint: str) -> SpanProcessor:
    """Sends spans to a collector by OTLP over HTTP, in batches, from a thread of its own."""
    return BatchSpanProcessor(OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces"))


class Tracing:
    """Makes spans and passes them to a processor; also an observer of answers (`qa.observing.Observer`)."""

    def __init__(self, processor: SpanProcessor) -> None:
        resource = Resource.create({"service.name": _NAME})  # OTEL_SERVICE_NAME and the like add to it
        self._provider = TracerProvider(resource=resource)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer(_NAME)

    def around(self, app: ASGIApp) -> ASGIApp:
        """`app` with a span for each request, part of the trace that the client names (W3C Trace Context)."""

        async def traced(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, self._flushing(send))
                return
            parent = _PROPAGATOR.extract(dict(Headers(scope=scope)))
            kind = trace.SpanKind.SERVER
            with self._tracer.start_as_current_span("request", parent, kind, record_exception=False) as span:
                await app(scope, receive, send)
                _describe(span, scope)

        return traced

    def _flushing(self, send: Send) -> Send:
        """`send`, flushing the last spans before it reports the shutdown, after which a signal ends the process."""

        async def flushed(message: Message) -> None:
            if message["type"] == "lifespan.shutdown.complete":
                with anyio.move_on_after(_LAST_FLUSH):
                    await anyio.to_thread.run_sync(self._provider.force_flush, abandon_on_cancel=True)
            await send(message)

        return flushed

    def stage(self, name: str, seconds: float) -> None:
        if trace.get_current_span().is_recording():
            ended = time.time_ns()
            self._tracer.start_span(name, start_time=ended - int(seconds * 1e9)).end(ended)

    def vector(self, remembered: bool) -> None:
        trace.get_current_span().set_attribute("footnote.vector_remembered", remembered)

    def answered(self, answer: Answer) -> None:
        trace.get_current_span().set_attribute("footnote.kind", kind_of(answer))

    def close(self) -> None:
        """Sends the remaining spans."""
        self._provider.shutdown()


def _describe(span: trace.Span, scope: Scope) -> None:
    notes = notes_of(scope)
    span.update_name(f"{notes.method} {notes.route}")
    span.set_attributes(
        {
            "http.request.method": notes.method,
            "http.route": notes.route,
            "http.response.status_code": notes.status,
            "footnote.request_id": notes.id,
            "footnote.principal": notes.principal,
        }
    )
    if notes.status >= _SERVER_ERROR:
        span.set_status(trace.StatusCode.ERROR)
