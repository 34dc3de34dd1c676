"""Finds sentence boundaries in Markdown text, as exact offsets."""

from __future__ import annotations

import re
from collections.abc import Iterator

# Code spans, link targets, autolinks: a full stop in them ends no sentence.
# No character class includes its opening mark, so that a run of opening marks takes linear time; a run of backticks is
# only tried as a whole, and closed by one as long (CommonMark §6.1).
_OPAQUE = re.compile(
    r"(?<!`)(`++)(?!`)(?:.|\n)*?(?<!`)\1(?!`)|\]\([^)\]\s]*(?:\s[^)\]]*)?\)|<[^<>\s]+>|https?://\S*[^\s.,;:!?)]"
)
_END = re.compile(r"[.!?…][\"'”’)\]*_]*(?=\s+(?:[\"'“‘(\[*_`]*[A-Z0-9\x01]|[\"“‘(\[*_`]+\S))|[。！？]")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|cf|ca|approx|resp|incl|fig|nos|vol|sec|ch|eq|dr|mr|mrs|ms|prof|st|inc|ltd|jr|sr)"
    r"|(?<!\w)[A-Za-z])\.$",
    re.IGNORECASE,
)


def sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Spans of the sentences of `text[start:end]`, without surrounding white space."""
    masked = _OPAQUE.sub(_mask, text[start:end])
    begin = 0
    for match in _END.finditer(masked):
        if match.group()[0] == "." and _ABBREVIATION.search(masked, begin, match.start() + 1):
            continue
        yield from _trim(text, start + begin, start + match.end())
        begin = match.end()
    yield from _trim(text, start + begin, end)


def _mask(match: re.Match[str]) -> str:
    # Keeps the length; `_END` takes \x01 for a capital, so that a sentence may open with a code span.
    return "\x01" * len(match.group())


def _trim(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield start, end
