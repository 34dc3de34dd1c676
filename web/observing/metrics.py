"""Metrics for Prometheus: requests, latency, the index being served and failures; never the text of a question."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from indexes.types import ANYONE
from qa.corpus import CorpusStore
from qa.journal.records import kind_of
from qa.types import Answer
from web.admission import WorkSlots
from web.observing.recording import Finished

_REQUEST = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)  # upper bounds, seconds
_STAGE = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1)
_PARTS = ("snapshot", "vectors")  # questions are answered even while one of these is unavailable
_COMBINED_BY: dict[str, Callable[[float, float], float]] = {
    "process_start_time_seconds": min,
    "process_max_fds": max,
}


class FailureCount(Protocol):
    @property
    def failures(self) -> int: ...


class Metrics:
    """The content of /metrics, for this process or for all processes of the server together."""

    def __init__(self, folder: Path | None = None) -> None:
        """`folder`: where all processes keep their metrics; None for a single process.

        PROMETHEUS_MULTIPROC_DIR must have named it when this module was imported.
        """
        disable_created_metrics()  # type: ignore[no-untyped-call]  # they double the number of series
        registry = CollectorRegistry()
        self._shown = CollectorRegistry() if folder else registry
        if folder:
            MultiProcessCollector(self._shown, str(folder))  # type: ignore[no-untyped-call]
            self._shown.register(_Processes(folder))
        else:
            ProcessCollector(registry=registry)
        self.counted = RequestMetrics(registry)
        self._load = Load(registry)

    def watch(self, store: CorpusStore, slots: WorkSlots, journal: FailureCount, degraded: tuple[str, ...]) -> None:
        """Includes these from now on."""
        self._load.watch(slots, journal)
        self._shown.register(IndexState(store, degraded))

    def note(self) -> None:
        """Updates the gauges of this process; the other processes report them as of its last note."""
        self._load.note()

    def text(self) -> bytes:
        """The metrics in the text format of Prometheus, 0.0.4."""
        self.note()
        return generate_latest(self._shown)


class RequestMetrics:
    """Counts requests (a `web.observing.recording.Recorder`) and answers (a `qa.observing.Observer`)."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "footnote_requests", "requests that are over", ["method", "route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "footnote_request_seconds",
            "time of a request, a stream to its end",
            ["route"],
            buckets=_REQUEST,
            registry=registry,
        )
        self._stages = Histogram(
            "footnote_stage_seconds", "time of a stage of answering", ["stage"], buckets=_STAGE, registry=registry
        )
        self._answering = Histogram(
            "footnote_answer_seconds", "time to answer or decline a question", buckets=_STAGE, registry=registry
        )
        self._answers = Counter(
            "footnote_answers",
            "questions by what came of them: answer, closest, refusal or courtesy",
            ["kind"],
            registry=registry,
        )
        self._vectors = Counter(
            "footnote_question_vectors", "vectors of questions: remembered or embedded", ["found"], registry=registry
        )
        for kind in ("answer", "closest", "refusal", "courtesy"):
            self._answers.labels(kind)
        for origin in ("remembered", "embedded"):
            self._vectors.labels(origin)

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


class Load:
    """Requests being worked on, waiting and turned away, and failures of the journal."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._working = _sum("footnote_requests_working", "requests that are worked on", registry)
        self._waiting = _sum("footnote_requests_waiting", "requests that wait for their turn", registry)
        self._turned_away = Counter("footnote_requests_turned_away", "requests past capacity", registry=registry)
        self._failures = Counter("footnote_journal_failures", "uses of the journal that failed", registry=registry)
        self._watched: tuple[WorkSlots, FailureCount] | None = None
        self._reported = (0, 0)

    def watch(self, slots: WorkSlots, journal: FailureCount) -> None:
        self._watched = slots, journal

    def note(self) -> None:
        if not self._watched:
            return
        slots, journal = self._watched
        self._working.set(slots.working)
        self._waiting.set(slots.waiting)
        now, before = (slots.turned_away, journal.failures), self._reported
        self._turned_away.inc(now[0] - before[0])
        self._failures.inc(now[1] - before[1])
        self._reported = now


@dataclass(frozen=True)
class IndexState(Collector):
    """The snapshot being served and unavailable parts, read at collection; the same in every process."""

    store: CorpusStore
    degraded: tuple[str, ...]

    def collect(self) -> Iterator[Metric]:
        corpus = self.store.seen_by(ANYONE)  # only public articles: /metrics must not reveal how many others there are
        age = datetime.now(UTC) - datetime.fromisoformat(corpus.created)
        yield _gauge("footnote_index_generation", "number of the snapshot that is served", int(corpus.generation))
        yield _gauge("footnote_index_articles", "articles in it for everyone", corpus.article_count)
        yield _gauge("footnote_index_chunks", "chunks of these", corpus.chunk_count)
        yield _gauge("footnote_index_age_seconds", "time since it was built", age.total_seconds())
        missing = {*self.degraded, *(["snapshot"] if self.store.problem else [])}
        family = GaugeMetricFamily("footnote_degraded", "1 where a part is unavailable", labels=["part"])
        for part in sorted({*_PARTS, *missing}):
            family.add_metric([part], float(part in missing))
        yield family


class _Processes(Collector):
    """The standard process metrics over all serving processes: summed where a sum has a meaning."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        metrics = [
            m
            for pid in self._pids()
            for m in ProcessCollector(pid=functools.partial(int, pid), registry=None).collect()
        ]
        for name, [first, *others] in _by_name(metrics).items():
            values = [metric.samples[0].value for metric in (first, *others)]
            value = functools.reduce(_COMBINED_BY.get(name, operator.add), values)
            first.samples = [first.samples[0]._replace(value=value)]
            yield first

    def _pids(self) -> list[int]:
        # The supervisor removes the files of dead processes (web/serving/workers.py).
        return [int(path.stem.rpartition("_")[2]) for path in self._folder.glob("gauge_livesum_*.db")]


def _by_name(metrics: Iterable[Metric]) -> dict[str, list[Metric]]:
    named: dict[str, list[Metric]] = {}
    for metric in metrics:
        named.setdefault(metric.name, []).append(metric)
    return named


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(name, about, value)


def _sum(name: str, about: str, registry: CollectorRegistry) -> Gauge:
    return Gauge(name, about, registry=registry, multiprocess_mode="livesum")
