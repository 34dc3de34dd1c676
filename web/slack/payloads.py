"""Reads fields of the JSON that Slack sends, without trusting its shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def field(payload: Mapping[str, Any], *path: str) -> str:
    """The text at a path of keys; "" if there is none."""
    value: Any = payload
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else ""
