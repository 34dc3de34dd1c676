"""Headings, sections and blocks, each at its exact place."""

from __future__ import annotations

import pytest

from ingest.structure import Block, outline, plain, slug

ARTICLE = """# Rotating tokens

Opening words.

## Detecting *reuse*

- First item
  with a second line
  - a nested item
- Second item

| Code | Meaning |
| --- | --- |
| 401 | Log in |

### In `Redis`

```python
# not a heading
x = 1

y = 2
```

> A quotation
> of two lines.

## Limits

Closing words.
"""


def blocks_of(markdown: str) -> list[Block]:
    return [block for section in outline(markdown, "").sections for block in section.blocks]


def test_headings_have_their_level_plain_text_anchor_and_place() -> None:
    headings = outline(ARTICLE, "Rotating tokens").headings
    assert [(h.level, h.text, h.anchor) for h in headings] == [
        (1, "Rotating tokens", "rotating-tokens"),
        (2, "Detecting reuse", "detecting-reuse"),
        (3, "In Redis", "in-redis"),
        (2, "Limits", "limits"),
    ]
    assert [ARTICLE[h.start :].split("\n")[0] for h in headings] == [
        "# Rotating tokens",
        "## Detecting *reuse*",
        "### In `Redis`",
        "## Limits",
    ]


def test_a_section_knows_its_heading_path_without_a_heading_that_repeats_the_title() -> None:
    assert [section.path for section in outline(ARTICLE, "Rotating Tokens").sections] == [
        (),
        ("Detecting reuse",),
        ("Detecting reuse", "In Redis"),
        ("Limits",),
    ]


def test_a_top_heading_of_its_own_is_part_of_the_path() -> None:
    assert outline(ARTICLE, "Tokens").sections[0].path == ("Rotating tokens",)


def test_blocks_are_exact_spans_of_their_kind() -> None:
    assert [(b.kind, ARTICLE[b.start : b.end]) for b in blocks_of(ARTICLE)] == [
        ("paragraph", "Opening words."),
        ("list", "- First item\n  with a second line\n  - a nested item\n- Second item"),
        ("table", "| Code | Meaning |\n| --- | --- |\n| 401 | Log in |"),
        ("code", "```python\n# not a heading\nx = 1\n\ny = 2\n```"),
        ("quote", "> A quotation\n> of two lines."),
        ("paragraph", "Closing words."),
    ]


def test_a_list_is_cut_at_its_own_items_and_a_table_at_its_rows() -> None:
    parts = {b.kind: [ARTICLE[slice(*part)] for part in b.parts] for b in blocks_of(ARTICLE)}
    assert parts["list"] == ["- First item\n  with a second line\n  - a nested item", "- Second item"]
    assert parts["table"] == ["| Code | Meaning |", "| 401 | Log in |"]
    assert parts["code"] == ["```python", "# not a heading", "x = 1", "y = 2", "```"]


def test_an_underlined_heading_is_a_heading() -> None:
    assert [(h.level, h.text) for h in outline("Tokens\n======\n\nReuse\n-----\n\nText.", "").headings] == [
        (1, "Tokens"),
        (2, "Reuse"),
    ]


def test_equal_headings_get_different_anchors_and_a_custom_anchor_is_kept() -> None:
    headings = outline("## Limits\n\n## Limits\n\n## Other {#limits-1}\n\n## ???\n", "").headings
    assert [h.anchor for h in headings] == ["limits", "limits-1", "limits-1-1", "section"]
    assert headings[2].text == "Other"


def test_a_comment_and_a_rule_are_no_blocks() -> None:
    assert [b.kind for b in blocks_of("<!-- editors only -->\n\n---\n\nText.\n")] == ["paragraph"]


def test_offsets_count_code_points() -> None:
    text = "Ключ 🔑 и замок.\n\n## Ü\n\n令牌会过期。"
    assert [text[b.start : b.end] for b in blocks_of(text)] == ["Ключ 🔑 и замок.", "令牌会过期。"]
    assert outline(text, "").headings[0].start == text.index("##")


def test_plain_text_keeps_words_and_drops_marks_and_targets() -> None:
    assert plain("**Set** `max_age` in [the *docs*](d.md)\nand ~~not~~ snake_case \\* here") == (
        "Set max_age in the docs and not snake_case * here"
    )


def test_a_slug_is_lower_case_words_joined_by_hyphens() -> None:
    assert [slug(text) for text in ("What's new in v2.0?", "Äpfel & 日本")] == ["whats-new-in-v20", "äpfel-日本"]


def test_deeply_nested_quotations_and_lists_lose_no_text() -> None:
    for mark in ("> ", "- "):
        text = mark * 5_000 + "deep\n\nThe end."
        assert any("The end." in text[b.start : b.end] for b in blocks_of(text))


@pytest.mark.parametrize("hostile", ["[" * 64_000, "[a](" * 16_000, "](" * 32_000, "<" * 64_000, "`" * 64_000])
def test_a_run_of_opening_marks_is_read_to_its_end(hostile: str) -> None:
    (block,) = blocks_of(hostile)
    assert (block.start, block.end) == (0, len(hostile))
    assert len(plain(hostile)) <= len(hostile)


def test_a_heading_of_spaces_and_braces_is_read_to_its_end() -> None:
    heading = "# a" + " " * 20_000 + "{#" * 20_000 + " b"
    assert outline(heading, "").headings[0].text.endswith("# b")


@pytest.mark.parametrize(
    ("heading", "text", "anchor"),
    [
        ("{#a" * 20_000, "{#a" * 20_000, "a" * 20_000),
        ("[" * 50_000, "[" * 50_000, "section"),
        ("{#" + "a" * 50_000, "{#" + "a" * 50_000, "a" * 50_000),
        ("a" + "_" * 50_000 + "b", "a" + "_" * 50_000 + "b", "a" + "_" * 50_000 + "b"),
        ("{#a" * 20_000 + "{#end}", "{#a" * 20_000, "end"),
    ],
    ids=["anchors", "brackets", "one anchor", "underscores", "an anchor at last"],
)
def test_a_heading_of_opening_marks_is_kept_and_what_follows_is_under_it(heading: str, text: str, anchor: str) -> None:
    read = outline(f"# {heading}\n\nThe end.", "")
    assert [(h.text, h.anchor) for h in read.headings] == [(text, anchor)]
    assert [section.path for section in read.sections] == [(text,)]


def test_underscores_are_dropped_around_words_and_kept_inside_them() -> None:
    assert plain("_a_ snake_case __b__ ___c d__ e__f") == "a snake_case b c d e__f"
