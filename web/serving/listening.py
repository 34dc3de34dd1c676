"""The port on which the serving processes listen."""

from __future__ import annotations

import os
import socket
import sys
from typing import Self

from web.errors import CannotListen

BACKLOG = 2048
_LAST_PORT = 65_535
_ENOUGH = 2  # processes, unless told: each costs some 150 MB
# Elsewhere, one of the processes would get all connections.
_CAN_SHARE = sys.platform == "linux"


class SharedPort(socket.socket):
    """A socket bound to a port that others of this class may be bound to as well; it does not listen yet.

    Sent to another process, it becomes one of its own there. The kernel spreads connections over those that listen,
    and a process that dies takes its socket along, so that nobody waits at it. (On one socket for all, whoever wakes
    first accepts all connections that are there: docs/decisions/processes.md.)
    """

    @classmethod
    def bound(cls, family: int, address: tuple[str, int]) -> Self:
        made = cls(family, socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
        return made

    def __reduce__(self) -> tuple[object, ...]:
        return type(self).bound, (int(self.family), self.getsockname())


def processes(wanted: int) -> int:
    """How many serve. `wanted` 0: as many as there are cores, but no more than two."""
    return wanted or (min(cores(), _ENOUGH) if _CAN_SHARE else 1)


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def bind(host: str, port: int, processes: int) -> socket.socket:
    """A socket for one process, which listens, or for several. Raises CannotListen saying what to do."""
    if processes > 1 and not _CAN_SHARE:
        raise CannotListen("Several serving processes need Linux: leave FOOTNOTE_WORKERS out, or set it to 1.")
    if not 0 <= port <= _LAST_PORT:
        raise CannotListen(f"{port} is no port: choose one from 0 to {_LAST_PORT}.")
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        # Alone first: one that shares a port would join a stranger's who shares it too.
        alone = socket.create_server((host, port), family=family, backlog=BACKLOG)
        if processes == 1:
            return alone
        address = alone.getsockname()
        alone.close()
        return SharedPort.bound(family, address)
    except OSError as error:
        raise CannotListen(
            f"Cannot listen on {host}:{port} ({error.strerror}): stop what listens there, or choose another port "
            "with --port or PORT=… make serve."
        ) from error
