"""What Slack sends is JSON of many shapes: read it without trusting any."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def field(payload: Mapping[str, Any], *path: str) -> str:
    """The text at a path of keys; "" if there is none."""
    found: Any = payload
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else ""
