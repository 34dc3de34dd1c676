"""Who may see what people asked? The one place that decides it."""

from __future__ import annotations

import ipaddress

from fastapi import Request
from starlette.exceptions import HTTPException

_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")


def keepers_only(request: Request) -> None:
    """A dependency of every route that shows questions of others. Answers 403 to whoever does not keep the KB.

    There are no keys yet: whoever sits at the machine itself keeps it. A proxy's visitors come from elsewhere.
    """
    host = request.client.host if request.client else ""
    if not _is_loopback(host) or any(name in request.headers for name in _FORWARDED):
        raise HTTPException(
            403, "Insights hold people's questions: they are open on the machine that serves them alone, at its "
            "address 127.0.0.1.",
        )  # fmt: skip


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
