"""Runs work on possibly hostile input in a process that can be stopped: it may cost a file, never an ingest."""

from __future__ import annotations

import importlib
import multiprocessing
import resource
import subprocess
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self, TypeAlias, TypeVar

from ingest.errors import ArticleRejected

T = TypeVar("T")
Reply: TypeAlias = tuple[Any, ArticleRejected | None]  # (the function's result, the reason why there is none)

FILE_SECONDS = 10.0  # for one file
_START_SECONDS = 60.0
_MEMORY = 4 << 30  # bytes of address space; the largest page takes a quarter of it
# Imported before the time of a call is measured.
_PRELOADED = ("ingest.article_indexing", "ingest.formats.parsing", "ingest.formats.main_content")


class Isolated:
    """Calls functions in one process, started at first use and replaced after it had to be stopped."""

    def __init__(self, seconds: float = FILE_SECONDS) -> None:
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection[Any, Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def call(self, function: Callable[..., T], *arguments: object) -> T:
        """The result of a module-level `function`. Raises ArticleRejected if it does, takes too long or crashes."""
        connection = self._connection or self._start()
        try:
            connection.send((function, arguments))
            result, problem = self._reply(connection, self._seconds)
        except BaseException:  # Ctrl-C too: a late result must not answer the next call
            self._stop()
            raise
        if problem:
            raise problem
        value: T = result
        return value

    def _reply(self, connection: Connection[Any, Any], seconds: float) -> Reply:
        try:
            if not connection.poll(seconds):
                raise ArticleRejected(f"it takes longer than {seconds:.0f} s to read: simplify or split it")
            reply: Reply = connection.recv()
        except (EOFError, ConnectionError) as error:
            raise ArticleRejected("reading it takes too much memory or fails: simplify or split it") from error
        return reply

    def _start(self) -> Connection[Any, Any]:
        ours, theirs = multiprocessing.Pipe()
        # In its own session, so that Ctrl-C only reaches the ingest, which then closes the connection.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "ingest.isolation", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        theirs.close()
        self._connection = ours
        self._reply(ours, _START_SECONDS)
        return ours

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._connection is not None:
            self._connection.close()
        self._process = self._connection = None


def guarded(function: Callable[..., T], *arguments: object) -> T:
    """The result of `function`; any error in it becomes a reason to reject one article."""
    try:
        return function(*arguments)
    except ArticleRejected:
        raise
    except RecursionError as error:
        raise ArticleRejected("nested too deeply: simplify it") from error
    except MemoryError as error:
        raise ArticleRejected("reading it takes too much memory: simplify or split it") from error
    except Exception as error:
        raise ArticleRejected(f"could not be read ({type(error).__name__}: {str(error)[:200]})") from error


def _serve(connection: Connection[Any, Any]) -> None:
    while True:
        function, arguments = connection.recv()
        _limit_processor_time()
        try:
            connection.send((guarded(function, *arguments), None))
        except ArticleRejected as error:
            connection.send((None, error))


def _limit_processor_time() -> None:
    """Makes the process end by itself if the ingest has been killed."""
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    resource.setrlimit(resource.RLIMIT_CPU, (int(used + 3 * FILE_SECONDS), resource.RLIM_INFINITY))


def main(descriptor: int) -> None:
    for module in _PRELOADED:
        importlib.import_module(module)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    connection: Connection[Any, Any] = Connection(descriptor)
    connection.send((None, None))
    try:
        _serve(connection)
    except (EOFError, ConnectionError):
        return  # the ingest has ended


if __name__ == "__main__":
    main(int(sys.argv[1]))
