"""The sockets on the port: one for each serving process. It loads little, as the supervisor loads it."""

from __future__ import annotations

import os
import socket
import sys

from web.errors import CannotListen

BACKLOG = 2048
_LAST_PORT = 65_535
_ENOUGH = 2  # processes, unless told: each costs some 180 MB
# Elsewhere, one of the sockets would get all connections.
_CAN_SHARE = sys.platform == "linux"


def processes(wanted: int) -> int:
    """How many serve. `wanted` 0: as many as there are cores, but no more than two."""
    return wanted or (min(cores(), _ENOUGH) if _CAN_SHARE else 1)


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def sockets(host: str, port: int, number: int) -> list[socket.socket]:
    """A listening socket or, for several processes, as many that are bound to one port and do not listen yet.

    The kernel spreads connections over those that listen. Raises CannotListen saying what to do.
    """
    if number > 1 and not _CAN_SHARE:
        raise CannotListen("Several serving processes need Linux: leave FOOTNOTE_WORKERS out, or set it to 1.")
    if not 0 <= port <= _LAST_PORT:
        raise CannotListen(f"{port} is no port: choose one from 0 to {_LAST_PORT}.")
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        # Alone first: those that share a port would join a stranger's who shares it too.
        alone = socket.create_server((host, port), family=family, backlog=BACKLOG)
        if number == 1:
            return [alone]
        taken = alone.getsockname()
        alone.close()
        return [_sharing(family, taken) for _ in range(number)]
    except OSError as error:
        raise CannotListen(
            f"Cannot listen on {host}:{port} ({error.strerror}): stop what listens there, or choose another port "
            "with --port or PORT=… make serve."
        ) from error


def in_place_of(listener: int) -> int:
    """A socket that is bound to the same port but does not listen yet, made before the old one is closed; descriptors.

    What waited to be accepted is cut off, and from now on connections go to the others that listen. Raises OSError,
    and then the old one stays.
    """
    with socket.socket(fileno=os.dup(listener)) as old:
        new = _sharing(old.family, old.getsockname())
    os.close(listener)
    return new.detach()


def _sharing(family: int, address: tuple[str, int]) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    made.bind(address)
    return made
