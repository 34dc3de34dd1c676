"""What does the log say, and what must it never say?

A line for each request and for what went wrong, to standard error, as text or as one JSON object a line. What people
send never gets into it: neither questions nor keys. So errors nobody expected are written without their messages, which
often repeat what was sent, and loggers of other packages say warnings only.
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
_Raised: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
_FIELDS = ("method", "route", "status", "ms", "principal")
_OFTEN_ASKED = ("/livez", "/readyz", "/metrics", "/static")

log = logging.getLogger(__name__)


def configure(format: LogFormat, level: LogLevel, stream: TextIO | None = None) -> None:
    """Everything that is logged in this process goes to `stream` (standard error) from now on.

    At level "debug" errors are written with their messages, which may repeat what people sent.
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
    """A recorder that logs a line for each request; those for health, metrics and static files at level "debug"."""

    def finished(self, request: Finished) -> None:
        level = logging.DEBUG if request.route in _OFTEN_ASKED else logging.INFO
        ms = round(request.seconds * 1000, 1)
        values = (request.method, request.route, request.status, ms, request.principal)
        said = "%s %s %d in %.1f ms%s"
        by = f" by {request.principal}" if request.principal else ""
        log.log(level, said, *values[:4], by, extra=dict(zip(_FIELDS, values, strict=True)))


def _with_request_id(record: logging.LogRecord) -> bool:
    record.request_id = request_id()
    if record.name == "asyncio":  # its further lines show what failed, messages and all
        record.msg, record.args = record.getMessage().partition("\n")[0], ()
    return True


class _Text(logging.Formatter):
    """A line of text; control characters are escaped, so that nobody can forge a line."""

    def __init__(self, messages: bool) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")
        self._messages = messages

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        id: str = getattr(record, "request_id", "")
        return _printable(super().formatMessage(record)) + (f" [{id}]" if id else "")

    def formatException(self, ei: _Raised) -> str:  # noqa: N802
        return _raised(ei[1], self._messages)


class _Json(JsonFormatter):
    def __init__(self, messages: bool) -> None:
        super().__init__(
            ["levelname", "name", "message"], timestamp="time", rename_fields={"levelname": "level", "name": "logger"}
        )
        self._messages = messages

    def formatException(self, ei: _Raised) -> str:  # noqa: N802
        return _raised(ei[1], self._messages)


def _raised(error: BaseException | None, messages: bool) -> str:
    """Where an error and what led to it were raised, the cause first."""
    chain: list[str] = []
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        said = f": {_printable(str(error))}" if messages else ""
        kind = f"{type(error).__module__}.{type(error).__qualname__}"
        chain.append("".join(traceback.format_tb(error.__traceback__)) + kind + said)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n".join(reversed(chain))


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
