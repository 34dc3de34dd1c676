"""Where a sentence ends in technical Markdown, and where it does not."""

from __future__ import annotations

import pytest

from ingest.sentences import sentences


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text, 0, len(text))]


@pytest.mark.parametrize(
    "first",
    [
        "Keep hot keys in a cache, e.g. Redis, for a minute.",
        "Prefer HTTPS vs. HTTP, i.e. TLS, everywhere.",
        "The method by Dr. J. Smith is shown in Fig. 3 above.",
    ],
)
def test_an_abbreviation_ends_no_sentence(first: str) -> None:
    assert cut(f"{first} Then stop.") == [first, "Then stop."]


@pytest.mark.parametrize(
    "first",
    [
        "Call `client.close(). Await` before exit.",
        "Call ``a ` b. C`` before exit.",
        "See [the guide](guides/v2.0.md) before exit.",
        'See [the guide](guide.md "The guide. All of it") before exit.',
        "Open <https://example.com/a.B> before exit.",
        "Open https://example.com/a.b?c=D.",
    ],
)
def test_a_full_stop_in_a_code_span_or_a_link_ends_no_sentence(first: str) -> None:
    assert cut(f"{first} Then stop.") == [first, "Then stop."]


def test_versions_and_names_with_dots_stay_whole() -> None:
    assert cut("Version 2.0 needs Node.js 20.1 or newer. It runs on .NET too.") == [
        "Version 2.0 needs Node.js 20.1 or newer.",
        "It runs on .NET too.",
    ]


def test_a_full_stop_before_a_small_letter_ends_no_sentence() -> None:
    assert cut("The file web.config and app.yaml. are read. Both are needed.") == [
        "The file web.config and app.yaml. are read.",
        "Both are needed.",
    ]


def test_closing_quotes_brackets_and_emphasis_belong_to_their_sentence() -> None:
    assert cut('He said "Stop." “Why?” (It was late.) **All slept.** Nobody stayed.') == [
        'He said "Stop."',
        "“Why?”",
        "(It was late.)",
        "**All slept.**",
        "Nobody stayed.",
    ]


def test_questions_exclamations_and_ellipses_end_sentences() -> None:
    assert cut("Does it retry? It does! It waits… Then it stops.") == [
        "Does it retry?",
        "It does!",
        "It waits…",
        "Then it stops.",
    ]


def test_a_sentence_may_open_with_a_code_span_a_link_or_a_number() -> None:
    assert cut("Set the flag. `retries` is 3. [Backoff](b.md) grows. 10 attempts fail.") == [
        "Set the flag.",
        "`retries` is 3.",
        "[Backoff](b.md) grows.",
        "10 attempts fail.",
    ]


def test_a_cjk_full_stop_needs_no_space_after_it() -> None:
    assert cut("令牌会过期。请更新！真的？是。") == ["令牌会过期。", "请更新！", "真的？", "是。"]


def test_a_hard_wrapped_sentence_is_one_sentence() -> None:
    assert cut("A token is\nrotated on use. The old\none is revoked.") == [
        "A token is\nrotated on use.",
        "The old\none is revoked.",
    ]


def test_spans_are_offsets_of_the_whole_text_and_stay_within_the_part_asked_for() -> None:
    text = "Before it. 🔑 One is here. Two is here. After it."
    start, end = text.index("🔑"), text.index(" After")
    spans = list(sentences(text, start, end))
    assert [text[a:b] for a, b in spans] == ["🔑 One is here.", "Two is here."]
    assert all(start <= a < b <= end for a, b in spans)


@pytest.mark.parametrize("text", ["", " \n "])
def test_white_space_holds_no_sentence(text: str) -> None:
    assert cut(text) == []
