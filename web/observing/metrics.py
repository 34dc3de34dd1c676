"""Figures for Prometheus: what was asked, how long it took, what is served, and what is wrong. Never a word of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from indexes.store import SnapshotStore
from indexes.types import ANYONE
from qa.journal import Journal
from qa.kept import kind_of
from qa.types import Answer
from web.admission import Turns
from web.observing.recording import Finished

_REQUEST = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)  # upper bounds, seconds
_STAGE = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1)
_PARTS = ("snapshot", "vectors")  # that may be missing while questions are answered all the same


def new_registry() -> CollectorRegistry:
    """A registry with the figures of this process."""
    disable_created_metrics()  # type: ignore[no-untyped-call]  # a series for each series, of when it began
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    return registry


class Counted:
    """Counts requests (a `web.observing.recording.Recorder`) and what happens in them (a `qa.observing.Observer`)."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "footnote_requests", "requests that are over", ["method", "route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "footnote_request_seconds", "time of a request, a stream to its end", ["route"], buckets=_REQUEST,
            registry=registry,
        )  # fmt: skip
        self._stages = Histogram(
            "footnote_stage_seconds", "time of a stage of answering", ["stage"], buckets=_STAGE, registry=registry
        )
        self._answering = Histogram(
            "footnote_answer_seconds", "time to answer or decline a question", buckets=_STAGE, registry=registry
        )
        self._answers = Counter(
            "footnote_answers", "questions by what came of them: answer, refusal or courtesy", ["kind"],
            registry=registry,
        )  # fmt: skip
        self._vectors = Counter(
            "footnote_question_vectors", "vectors of questions: remembered or embedded", ["found"], registry=registry
        )
        for kind in ("answer", "refusal", "courtesy"):
            self._answers.labels(kind)
        for found in ("remembered", "embedded"):
            self._vectors.labels(found)

    def finished(self, request: Finished) -> None:
        self._requests.labels(request.method, request.route, str(request.status)).inc()
        self._seconds.labels(request.route).observe(request.seconds)

    def stage(self, name: str, seconds: float) -> None:
        self._stages.labels(name).observe(seconds)

    def vector(self, remembered: bool) -> None:
        self._vectors.labels("remembered" if remembered else "embedded").inc()

    def answered(self, answer: Answer) -> None:
        kind = kind_of(answer)
        self._answers.labels(kind).inc()
        if kind != "courtesy":
            self._answering.observe(answer.took_ms / 1000)


@dataclass(frozen=True)
class State(Collector):
    """What is served and how things stand, looked up when it is asked for."""

    store: SnapshotStore
    turns: Turns
    journal: Journal
    degraded: tuple[str, ...]

    def collect(self) -> Iterator[Metric]:
        manifest = self.store.seen_by(ANYONE).manifest  # how many others there are is for their readers to know
        age = datetime.now(UTC) - datetime.fromisoformat(manifest.created)
        yield _gauge("footnote_index_generation", "number of the snapshot that is served", int(manifest.generation))
        yield _gauge("footnote_index_articles", "articles in it for everyone", manifest.articles)
        yield _gauge("footnote_index_chunks", "chunks of these", manifest.chunks)
        yield _gauge("footnote_index_age_seconds", "time since it was built", age.total_seconds())
        yield self._missing()
        yield _gauge("footnote_requests_working", "requests that are worked on", self.turns.working)
        yield _gauge("footnote_requests_waiting", "requests that wait for their turn", self.turns.waiting)
        yield CounterMetricFamily("footnote_requests_turned_away", "requests past capacity", self.turns.turned_away)
        yield CounterMetricFamily("footnote_journal_failures", "uses of the journal that failed", self.journal.failures)

    def _missing(self) -> Metric:
        missing = {*self.degraded, *(["snapshot"] if self.store.problem else [])}
        family = GaugeMetricFamily("footnote_degraded", "1 where a part is unavailable", labels=["part"])
        for part in sorted({*_PARTS, *missing}):
            family.add_metric([part], float(part in missing))
        return family


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(name, about, value)
