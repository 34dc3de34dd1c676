"""A model that hangs must not hang the answers: questions are embedded within a deadline, or not at all."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Protocol, TypeAlias

from indexes.errors import ModelUnavailable
from indexes.types import FloatMatrix

DEADLINE = 2.0  # seconds; a question takes some milliseconds

_Job: TypeAlias = tuple[str, "Future[FloatMatrix]"]


class _Embedder(Protocol):
    def embed_question(self, text: str) -> FloatMatrix: ...


class DeadlineEmbedder:
    """Embeds questions with `embedder` on `workers` threads of its own.

    While all of them are overdue, a question is refused at once instead of waiting too. The threads are daemons, so
    that one that hangs does not keep the process from ending.
    """

    def __init__(self, embedder: _Embedder, workers: int, deadline: float = DEADLINE) -> None:
        self._embedder = embedder
        self._workers = workers
        self._deadline = deadline
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._lock = threading.Lock()
        self._overdue = 0
        for number in range(workers):
            threading.Thread(target=self._work, name=f"embedding-{number}", daemon=True).start()

    def embed_question(self, text: str) -> FloatMatrix:
        """The vector of a question, shape (1, dimension). Raises ModelUnavailable when it takes too long."""
        if self._overdue >= self._workers:
            raise ModelUnavailable("The embedding model hangs: restart the server if it does not recover.")
        job: Future[FloatMatrix] = Future()
        self._jobs.put((text, job))
        try:
            return job.result(self._deadline)
        except TimeoutError as error:
            self._give_up(job)
            raise ModelUnavailable(f"The embedding model took longer than {self._deadline:g} s.") from error

    def _work(self) -> None:
        while True:
            text, job = self._jobs.get()
            if not job.set_running_or_notify_cancel():
                continue
            try:
                job.set_result(self._embedder.embed_question(text))
            except Exception as error:  # whatever the runtime raises belongs to the question that met it
                job.set_exception(error)

    def _give_up(self, job: Future[FloatMatrix]) -> None:
        if job.cancel():  # it had not begun
            return
        with self._lock:
            self._overdue += 1
        job.add_done_callback(self._caught_up)

    def _caught_up(self, job: Future[FloatMatrix]) -> None:
        with self._lock:
            self._overdue -= 1
