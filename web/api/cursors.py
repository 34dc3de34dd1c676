"""Encodes the offset of the next page of a list as an opaque cursor."""

from __future__ import annotations

import base64
import binascii

from starlette.exceptions import HTTPException

PATTERN = "^[A-Za-z0-9_-]{2,16}$"


def encode(offset: int) -> str:
    return base64.urlsafe_b64encode(f"o{offset}".encode()).decode().rstrip("=")


def decode(cursor: str | None) -> int:
    """The offset in a cursor; 0 without one. Answers 422 to a cursor this service did not make."""
    if cursor is None:
        return 0
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        if text[:1] != "o" or not text[1:].isdecimal() or len(text) > 12:
            raise ValueError(text)
        return int(text[1:])
    except (ValueError, binascii.Error) as error:
        raise HTTPException(422, "cursor is not one this service gave out: start again without it.") from error


def next_cursor(offset: int, shown: int, total: int) -> str | None:
    return encode(offset + shown) if offset + shown < total else None
