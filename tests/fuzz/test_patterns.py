"""No regular expression of the code takes longer than 50 ms of CPU time on 64 KB of hostile text."""

from __future__ import annotations

import signal
import time
from types import FrameType

import pytest

from tests.fuzz.patterns import Found, Unknown, hostile, in_the_code

ALLOWED = 0.05  # CPU seconds
_GIVE_UP = 0.3

EVERY = list(in_the_code())
FOUND = [entry for entry in EVERY if isinstance(entry, Found)]


class TooSlow(Exception):
    pass


def test_the_expressions_of_the_code_are_found() -> None:
    assert len(FOUND) > 60
    assert [entry for entry in EVERY if isinstance(entry, Unknown)] == []  # none that could not be tried


@pytest.mark.parametrize("found", FOUND, ids=lambda found: found.place)
def test_a_regular_expression_is_quick_on_hostile_text(found: Found) -> None:
    signal.signal(signal.SIGVTALRM, give_up)
    slowest, text_of_it, use_of_it = 0.0, "", ""
    for text in hostile(found.pattern):
        for use in sorted(found.uses):
            took = cpu_seconds(found, use, text)
            if took > ALLOWED:  # once more: another process may have cooled the caches
                took = min(took, cpu_seconds(found, use, text))
            if took > slowest:
                slowest, text_of_it, use_of_it = took, text, use
        if slowest > ALLOWED:
            break
    shown = f"{text_of_it[:30]!r}…{text_of_it[-12:]!r}"
    assert slowest <= ALLOWED, f"{found.pattern.pattern!r}.{use_of_it} took {slowest * 1000:.0f} ms on {shown}"


def cpu_seconds(found: Found, use: str, text: str) -> float:
    started = time.process_time()
    signal.setitimer(signal.ITIMER_VIRTUAL, _GIVE_UP)
    try:
        if use in ("sub", "subn", "split", "findall", "finditer"):
            for _ in found.pattern.finditer(text):
                pass
        else:
            getattr(found.pattern, use)(text)
    except TooSlow:
        pass
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return time.process_time() - started


def give_up(number: int, frame: FrameType | None) -> None:
    raise TooSlow
