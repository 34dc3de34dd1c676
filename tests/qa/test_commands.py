"""How an answer reads in a terminal."""

from __future__ import annotations

from qa.commands import in_words
from qa.types import CLOSEST
from tests.conftest import Site
from tests.scripted import closest_answer, excerpt_answer


def test_an_excerpt_is_shown_under_its_place_and_other_sections_below(tiny_site: Site) -> None:
    answer = excerpt_answer(tiny_site.services.store.current())
    (cited,), (other,) = answer.citations, answer.elsewhere
    assert in_words(answer) == (
        "Rotating refresh tokens:\n"
        "A refresh token is exchanged for a new one every time it is used. An access token lives for 10 minutes. [1]\n"
        "\n"
        f"[1] Rotating refresh tokens ({cited.url})\n\n"
        f"Other places that may answer:\n- Caching responses ({other.url})"
    )


def test_the_closest_passages_are_set_off_from_the_word_that_they_may_not_answer(tiny_site: Site) -> None:
    answer = closest_answer(tiny_site.services.store.current())
    first, _ = answer.closest
    assert in_words(answer).startswith(
        f"{CLOSEST}\n\n"
        f"1. Retrying requests safely › Choosing what to retry ({first.url})\n"
        "   | 1. Create an idempotency key for the payment.\n"
        "   | 2. Send the key with every attempt.\n"
        "   | 3. Stop after the third attempt.\n\n"
        "2. Writing useful logs ("
    )
