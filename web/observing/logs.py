"""Logs requests and errors to standard error, as text or as one JSON object a line.

What people send, questions or keys, is never logged. So unexpected errors are logged without their messages, which
often repeat what was sent, and loggers of other packages only log warnings.
"""

from __future__ import annotations

import logging
import sys
import traceback
from types import TracebackType
from typing import TextIO, TypeAlias

from pythonjsonlogger.json import JsonFormatter

from web.observing.recording import Finished, request_id
from web.settings import LogFormat, LogLevel

_OURS = ("indexes", "ingest", "qa", "web")
_ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
_FIELDS = ("method", "route", "status", "ms", "principal")
_POLLED = ("/livez", "/readyz", "/metrics", "/static")

log = logging.getLogger(__name__)


def configure(format: LogFormat, level: LogLevel, stream: TextIO | None = None) -> None:
    """Sends all logs of this process to `stream` (standard error) from now on.

    At level "debug" errors are logged with their messages, which may repeat what people sent.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    formatter = _Json if format == "json" else _Text
    handler.setFormatter(formatter(messages=level == "debug"))
    handler.addFilter(_with_request_id)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in _OURS:
        logging.getLogger(name).setLevel(level.upper())


class AccessLog:
    """Logs a line for each request; health, metrics and static files at level "debug"."""

    def finished(self, request: Finished) -> None:
        level = logging.DEBUG if request.route in _POLLED else logging.INFO
        ms = round(request.seconds * 1000, 1)
        values = (request.method, request.route, request.status, ms, request.principal)
        by = f" by {request.principal}" if request.principal else ""
        log.log(level, "%s %s %d in %.1f ms%s", *values[:4], by, extra=dict(zip(_FIELDS, values, strict=True)))


def _with_request_id(record: logging.LogRecord) -> bool:
    record.request_id = request_id()
    if record.name == "asyncio":  # its further lines contain the messages of errors
        record.msg, record.args = record.getMessage().partition("\n")[0], ()
    return True


class _Text(logging.Formatter):
    """Formats lines of text; control characters are escaped, so that nobody can forge a line."""

    def __init__(self, messages: bool) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")
        self._messages = messages

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        id: str = getattr(record, "request_id", "")
        return _printable(super().formatMessage(record)) + (f" [{id}]" if id else "")

    def formatException(self, ei: _ExcInfo) -> str:  # noqa: N802
        return _tracebacks(ei[1], self._messages)


class _Json(JsonFormatter):
    def __init__(self, messages: bool) -> None:
        super().__init__(
            ["levelname", "name", "message"], timestamp="time", rename_fields={"levelname": "level", "name": "logger"}
        )
        self._messages = messages

    def formatException(self, ei: _ExcInfo) -> str:  # noqa: N802
        return _tracebacks(ei[1], self._messages)


def _tracebacks(error: BaseException | None, messages: bool) -> str:
    """The tracebacks of an error and its causes, the first cause first."""
    chain: list[str] = []
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        message = f": {_printable(str(error))}" if messages else ""
        kind = f"{type(error).__module__}.{type(error).__qualname__}"
        chain.append("".join(traceback.format_tb(error.__traceback__)) + kind + message)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n".join(reversed(chain))


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
