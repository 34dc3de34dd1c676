"""Front matter: what is metadata, what is text, and what is refused with a reason."""

from __future__ import annotations

from datetime import date

import pytest

from ingest.errors import ArticleRejected, AudienceUnclear
from ingest.formats import front_matter

BOMB = """---
a: &a [x, x, x, x, x, x, x, x, x]
b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]
c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]
title: *c
---
Text.
"""


def test_yaml_fields_are_read_and_the_body_begins_after_them() -> None:
    fields, body = front_matter.split("---\ntitle: 'Tokens: a guide'\nviews: 3\n---\n\nText.\n\n---\n\nMore.\n")
    assert fields == {"title": "Tokens: a guide", "views": 3}
    assert body == "Text.\n\n---\n\nMore.\n"


def test_yaml_may_end_with_dots() -> None:
    assert front_matter.split("---\ntitle: Tokens\n...\nText.") == ({"title": "Tokens"}, "Text.")


def test_toml_fields_are_read() -> None:
    fields, body = front_matter.split('+++\ntitle = "Tokens"\nupdated = 2026-03-30\ntags = ["auth"]\n+++\nText.')
    assert fields == {"title": "Tokens", "updated": date(2026, 3, 30), "tags": ["auth"]}
    assert body == "Text."


def test_a_text_without_front_matter_is_all_body() -> None:
    assert front_matter.split("Text.\n\n---\ntitle: no\n---\n") == ({}, "Text.\n\n---\ntitle: no\n---\n")


@pytest.mark.parametrize(
    "text", ["---\n\nProse under a rule.\n\n---\n\nMore.", "---\n\nProse under a rule.", "----\nx"]
)
def test_a_rule_that_opens_a_text_is_no_front_matter(text: str) -> None:
    assert front_matter.split(text) == ({}, text)


@pytest.mark.parametrize("text", ["---\n---\nText.", "---\n\n---\nText."])
def test_empty_front_matter_is_no_part_of_the_body(text: str) -> None:
    assert front_matter.split(text) == ({}, "Text.")


@pytest.mark.parametrize(
    "block",
    [
        "title: 'never closed",
        "title: a: b",
        "- a list: of fields",
        "updated: 2024-02-30",
        "a: " + "[" * 20_000,
        "updated: !!timestamp soon",
        "featured: !!bool perhaps",
        "views: !!int ''",
        "title: !!python/object/apply:os.getcwd []",
    ],
    ids=lambda block: str(block)[:30],
)
def test_broken_yaml_is_refused_and_nothing_else_happens(block: str) -> None:
    with pytest.raises(ArticleRejected, match="front matter"):
        front_matter.split(f"---\n{block}\n---\nText.")


def test_broken_toml_is_refused() -> None:
    with pytest.raises(ArticleRejected, match="cannot be read"):
        front_matter.split("+++\ntitle = \n+++\nText.")


def test_an_impossible_date_is_named_as_the_reason() -> None:
    with pytest.raises(ArticleRejected, match="day is out of range for month"):
        front_matter.split("---\nupdated: 2024-02-30\n---\nText.")


def test_an_alias_bomb_is_refused_at_its_first_alias() -> None:
    with pytest.raises(ArticleRejected, match="aliases"):
        front_matter.split(BOMB)


def test_endless_front_matter_is_refused() -> None:
    with pytest.raises(ArticleRejected, match="longer than 64000 characters"):
        front_matter.split("---\ntitle: " + "x" * 64_001 + "\n---\nText.")


@pytest.mark.parametrize("value", [["Auth", "API keys"], "Auth,  API  keys,", ["Auth", "auth", "API keys", ""]])
def test_tags_are_a_list_or_a_comma_line_without_duplicates(value: object) -> None:
    assert front_matter.tags({"tags": value}, "tags") == ("Auth", "API keys")


def test_numbers_among_tags_are_kept_and_nested_values_are_not() -> None:
    assert front_matter.tags({"tags": [503, 2.0, ["x"], {"a": 1}, None]}, "tags") == ("503", "2.0")


def test_a_date_is_a_date_a_time_or_text_and_nonsense_is_none() -> None:
    fields, _ = front_matter.split("---\na: 2026-03-30\nb: 2026-03-30T10:00:00Z\nc: '2026-03-30 10:00'\nd: soon\n---\n")
    assert [front_matter.day(fields, name) for name in "abcd"] == [date(2026, 3, 30)] * 3 + [None]


def test_the_first_field_that_holds_something_counts() -> None:
    fields = {"summary": ["not", "text"], "description": "What  it\nsays", "title": 404}
    assert front_matter.text(fields, "summary", "description") == "What it says"
    assert front_matter.text(fields, "title") == "404"
    assert front_matter.text(fields, "none") == ""


def test_a_count_is_a_whole_number_from_zero() -> None:
    fields = {"good": 7, "negative": -1, "text": "7", "truth": True}
    assert [front_matter.count(fields, name) for name in ("good", "negative", "text", "truth", "none")] == [
        7,
        0,
        0,
        0,
        0,
    ]


def test_a_count_fits_the_article_table() -> None:
    assert front_matter.count({"views": 10**30}, "views") < 2**63


def test_a_number_too_long_to_print_is_no_text() -> None:
    fields, _ = front_matter.split(f"---\ntitle: 0x{'f' * 6_000}\n---\nText.")
    assert front_matter.text(fields, "title") == ""


@pytest.mark.parametrize(
    ("fields", "groups"),
    [
        ({}, ()),
        ({"title": "For all"}, ()),
        ({"audience": ["sre", " people  ops "]}, ("people ops", "sre")),
        ({"audience": ["sre", "sre"]}, ("sre",)),
        ({"audience": "sre"}, ("sre",)),
    ],
)
def test_an_audience_is_a_list_of_groups_or_everyone(fields: dict[str, object], groups: tuple[str, ...]) -> None:
    assert front_matter.audience(fields) == groups


@pytest.mark.parametrize(
    "fields",
    [
        {"audience": []},
        {"audience": None},
        {"audience": ""},
        {"audience": ["sre", 7]},
        {"audience": ["sre", ""]},
        {"audience": ["sre, hr"]},
        {"audience": "sre, hr"},
        {"audience": {"groups": ["sre"]}},
        {"audience": False},
        {"Audience": ["sre"]},
        {"audiences": ["sre"]},
        {"audience": ["sre"], "Audience": ["hr"]},
    ],
    ids=str,
)
def test_an_audience_that_is_not_clear_is_never_taken_for_everyone(fields: dict[str, object]) -> None:
    with pytest.raises(AudienceUnclear, match="audience"):
        front_matter.audience(fields)


@pytest.mark.parametrize(
    "text",
    [
        "---\naudience: [sre\n---\nText.",
        "---\ntitle: 'never closed\n  audience: [sre]\n---\nText.",
        "---\n- audience: [sre]\n---\nText.",
        "---\ntitle: No end\naudience: [sre]\n\nText.",
        "\n---\naudience: [sre]\n---\nText.",
        '+++\naudience = ["sre"\n+++\nText.',
        '+++\n"audience" = ["sre"]\n\nText.',
        f"---\naudience: [sre]\nnotes: {'x' * 70_000}\n---\nText.",
    ],
)
def test_a_broken_front_matter_with_an_audience_in_it_is_no_text_for_everyone(text: str) -> None:
    with pytest.raises(AudienceUnclear):
        front_matter.split(text)
