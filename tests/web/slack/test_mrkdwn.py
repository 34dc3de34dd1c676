"""Markdown becomes mrkdwn that shows the same, mentions nobody, and can be cut without harm."""

from __future__ import annotations

import pytest

from tests.web.slack import schema
from web.slack import mrkdwn
from web.slack.paragraphs import paragraphs


def shown(markdown: str) -> str:
    return "\n\n".join(mrkdwn.fitted(paragraphs(markdown), 3_000))


def without_marks_of_no_width(text: str) -> str:
    return text.replace("\u200b", "")


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("Use **bold**, *stress* and ~~old~~ `code`.", "Use *bold*, _stress_ and ~old~ `code`."),
        ("**bold with *stress* inside**", "*bold with _stress_ inside*"),
        ("a < b && c > d", "a &lt; b &amp;&amp; c &gt; d"),
        ("`a < b && c`", "`a &lt; b &amp;&amp; c`"),
        ("Send `Bearer <token>` or <your-token>.", "Send `Bearer &lt;token&gt;` or &lt;your-token&gt;."),
        ("Press <kbd>Ctrl</kbd>.", "Press Ctrl."),
        ("## Why *this* **matters**", "*Why _this_ matters*"),
        ("> quoted", "> quoted"),
        ("one\ntwo", "one two"),
        ("one\\\ntwo", "one\ntwo"),
        ("- one\n- two\n  - three\n    1. four", "• one\n• two\n    ◦ three\n        1. four"),
        ("3. three\n4. four", "3. three\n4. four"),
        ("- one\n\n  more\n\n  ```\n  code\n  ```\n- two", "• one\n    more\n```\ncode\n```\n• two"),
        ("```yaml\na: <b> & c\n```", "```\na: &lt;b&gt; &amp; c\n```"),
        ("&amp; is written `&amp;`", "&amp; is written `&amp;amp;`"),
    ],
)
def test_markdown_is_written_as_slack_reads_it(markdown: str, expected: str) -> None:
    assert shown(markdown) == expected


@pytest.mark.parametrize("text", ["<!channel>", "<!here|here>", "<@U0ASKER>", "<#C0GENERAL>", "<!subteam^S1|@team>"])
@pytest.mark.parametrize(
    "around", ["{}", "`{}`", "```\n{}\n```", "- {}", "| a |\n| - |\n| {} |", "**{}**", "> {}", "# {}"]
)
def test_nothing_an_article_says_mentions_anybody(text: str, around: str) -> None:
    said = shown(around.format(text))
    assert schema.misread(said) == []
    assert schema.mentions(said) == []
    assert text.strip("<@!#>").split("|")[0] in said


def test_links_and_images_become_their_text() -> None:
    assert shown("See [the guide](https://elsewhere.example) ![a chart](https://elsewhere.example/x.png)") == (
        "See the guide a chart"
    )


@pytest.mark.parametrize("text", ["*args and **kwargs*", "_private_", "~home~", "2 * 3 * 4"])
def test_characters_that_are_no_formatting_stay_none(text: str) -> None:
    escaped = "".join("\\" + character if character in "*_~" else character for character in text)
    said = shown(escaped)
    assert without_marks_of_no_width(said) == text
    assert not any(f"{mark}{letter}" in said for mark in "*_~" for letter in "ahpk")


def test_formatting_inside_a_word_is_set_apart_so_that_slack_sees_it() -> None:
    assert shown("un**der**stand `pod`s") == "un\u200b*der*\u200bstand `pod`\u200bs"


def test_code_with_backticks_keeps_slack_from_ending_it_early() -> None:
    assert shown("`` a`b ``") == "`aˋb`"
    assert schema.misread(shown("~~~\n```\nx\n```\n~~~")) == []


def test_a_narrow_table_keeps_its_columns() -> None:
    assert shown("| Status | Retry? |\n| --- | --- |\n| 503 | Yes, after `Retry-After` |\n| 400 | No |") == (
        "```\nStatus  Retry?\n──────  ──────────────────────\n503     Yes, after Retry-After\n400     No\n```"
    )


def test_a_wide_table_is_told_row_by_row() -> None:
    long = "a description that is too long for a column of its own in a narrow window"
    assert shown(f"| Option | Meaning | Default |\n| - | - | - |\n| `ttl` | {long} | 30d |\n| `n` | short | |") == (
        f"• *ttl* — Meaning: {long}; Default: 30d\n• *n* — Meaning: short"
    )


HARD = {
    "escapes": "a && b << c " * 800,
    "one long word": "x&" * 6_000,
    "formatted": "**bold & more** and `code < here` " * 300,
    "one long emphasis": "**" + "word " * 2_000 + "end**",
    "one long span of code": "`" + "code & " * 2_000 + "`",
    "fence": "```\n" + "if a < b && c > d: pass\n" * 500 + "```",
    "fence of one line": "```\n" + "&" * 9_000 + "\n```",
    "list": "- an item & another\n" * 500,
    "table": "| a | b |\n| - | - |\n" + "| x & y | <z> |\n" * 400,
    "emoji": "\U0001f600" * 5_000,
}


@pytest.mark.parametrize("markdown", HARD.values(), ids=HARD.keys())
def test_a_long_text_is_cut_where_it_does_no_harm(markdown: str) -> None:
    texts = mrkdwn.fitted(paragraphs(markdown), 2_900)
    assert len(texts) > 1
    for text in texts:
        assert 1 <= schema.length(text) <= 2_900
        assert schema.misread(text) == []


def test_a_cut_loses_no_word() -> None:
    words = [f"word{number}&" for number in range(3_000)]
    texts = mrkdwn.fitted(paragraphs(" ".join(words)), 500)
    assert " ".join(texts).replace("&amp;", "&").split() == words


def test_links_are_never_cut_and_their_parts_never_end_them() -> None:
    atom = mrkdwn.link("https://kb.example/a|b?x=1&y=<2>", "a > b | c\nd")
    assert schema.links(atom) == [("https://kb.example/a%7Cb?x=1&y=%3C2%3E", "a &gt; b | c d")]
    texts = mrkdwn.fitted([mrkdwn.Paragraph((atom,) * 50)], 300)
    assert sum(len(schema.links(text)) for text in texts) == 50


def test_an_address_that_is_not_absolute_gives_no_link() -> None:
    assert mrkdwn.link("/articles/tokens", "[1]") == "[1]"
    assert mrkdwn.link("javascript:alert(1)", "x") == "x"
