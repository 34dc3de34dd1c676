"""One file or record to an article."""

from __future__ import annotations

import json
from datetime import date

import pytest

from indexes.types import Article, Category
from ingest.errors import ArticleRejected
from ingest.formats.parsing import LARGEST, parse_html, parse_markdown, parse_record

KB = Category("Engineering")


def markdown(text: str, id: str = "guides/rotating-refresh_tokens") -> Article:
    return parse_markdown(id, text.encode(), KB)


def record(**fields: object) -> Article:
    return parse_record(json.dumps(fields).encode(), KB)


def test_every_field_of_the_front_matter_reaches_the_article() -> None:
    text = """---
title: Tokens
summary: How they rotate.
tags: [auth, tokens]
featured: true
views: 3
updated: 2026-03-30
type: Guide
category: Security
url: https://example.com/tokens
---

Text.
"""
    assert markdown(text, "tokens") == Article(
        id="tokens",
        title="Tokens",
        summary="How they rotate.",
        tags=("auth", "tokens"),
        featured=True,
        views=3,
        updated=date(2026, 3, 30),
        type="Guide",
        category="Security",
        source_url="https://example.com/tokens",
        markdown="Text.",
    )


def test_without_front_matter_the_heading_is_the_title_and_the_rest_has_defaults() -> None:
    article = markdown("# Rotating tokens #\n\nText.")
    assert (article.title, article.type, article.category) == ("Rotating tokens", "Article", "Engineering")
    assert (article.tags, article.featured, article.views, article.updated) == ((), False, 0, None)
    assert article.markdown == "# Rotating tokens #\n\nText."


@pytest.mark.parametrize(
    ("heading", "title"),
    [("# C#", "C#"), ("# Tokens ##  ", "Tokens"), ("\n#\tA # b", "A # b"), ("# Use `x` *now* {#use}", "Use x now")],
)
def test_marks_and_the_anchor_of_a_heading_are_no_part_of_the_title(heading: str, title: str) -> None:
    assert markdown(f"{heading}\n\nText.").title == title


def test_a_heading_with_endless_spaces_is_read_to_its_end() -> None:
    assert markdown("# a" + " " * 64_000 + "b\n\nText.").title == "a b"


def test_without_a_heading_the_file_name_is_the_title() -> None:
    assert markdown("Text.").title == "Rotating refresh tokens"


def test_a_byte_order_mark_and_dos_line_ends_change_nothing() -> None:
    plain = "---\ntitle: Tokens\n---\n\nOne.\n\nTwo.\n"
    dos = b"\xef\xbb\xbf" + plain.replace("\n", "\r\n").encode()
    assert parse_markdown("tokens", dos, KB) == markdown(plain, "tokens")


def test_text_that_is_not_utf_8_is_refused_naming_the_byte() -> None:
    with pytest.raises(ArticleRejected, match="not UTF-8 \\(byte 0xe9 at 3\\)"):
        parse_markdown("cafe", b"caf\xe9", KB)


@pytest.mark.parametrize("text", ["", " \n\n", "---\ntitle: Tokens\n---\n"])
def test_an_article_without_text_is_refused(text: str) -> None:
    with pytest.raises(ArticleRejected, match="no text"):
        markdown(text)


def test_more_than_8_mb_are_refused() -> None:
    with pytest.raises(ArticleRejected, match="larger than 8 MB"):
        parse_markdown("long", b"x" * (LARGEST + 1), KB)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "/etc/passwd", "data:text/html,x", 7])
def test_only_web_addresses_become_the_source(url: object) -> None:
    assert record(id="a", text="Text.", url=url).source_url is None


def test_nul_and_lone_surrogates_never_reach_an_article() -> None:
    hostile = "a\x00b\ud800c"
    article = record(
        id=hostile,
        title=hostile,
        text=hostile,
        summary=hostile,
        tags=[hostile],
        type=hostile,
        category=hostile,
        url=f"https://example.com/{hostile}",
    )
    clean = "a\ufffdb\ufffdc"
    assert article.id == article.title == article.summary == article.type == article.category == clean
    assert (article.tags, article.markdown, article.source_url) == ((clean,), clean, f"https://example.com/{clean}")


def test_a_page_is_its_main_content_as_markdown_with_its_metadata() -> None:
    page = b"""<html><head><title>Tokens</title>
      <meta name="description" content="How they rotate."><meta name="keywords" content="auth, tokens">
      <meta property="article:modified_time" content="2026-03-30T10:00:00Z"></head>
      <body><nav>Home</nav><main><h2>Reuse</h2><p>Revoke <b>all</b>.</p><ul><li>One</li></ul>
      <script>alert(1)</script></main><footer>Imprint</footer></body></html>"""
    article = parse_html("tokens", page, KB)
    assert (article.title, article.summary, article.tags) == ("Tokens", "How they rotate.", ("auth", "tokens"))
    assert article.updated == date(2026, 3, 30)
    assert "## Reuse\n\nRevoke **all**.\n\n- One" in article.markdown
    assert not any(word in article.markdown for word in ("Home", "alert", "Imprint"))


def test_html_nested_without_end_is_refused() -> None:
    with pytest.raises(ArticleRejected, match="nested too deeply"):
        parse_html("deep", b"<div>" * 5_000 + b"x", KB)


def test_odd_markup_is_left_out_of_the_text() -> None:
    assert parse_html("odd", b"<p>Text.</p><![n00b[ x", KB).markdown == "Text."


def test_a_record_has_an_id_and_a_text_and_its_first_line_is_the_title() -> None:
    article = record(id=7, text="\nTokens rotate.\nAll of them.")
    assert (article.id, article.title, article.markdown) == ("7", "Tokens rotate.", "Tokens rotate.\nAll of them.")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{not json", "not a JSON object"),
        (b"[]", "not a JSON object"),
        (b"[" * 100_000, "not a JSON object"),
        (b'{"text": "Text."}', 'no "id"'),
        (b'{"id": "a"}', 'no "text"'),
        (b'{"id": "a", "text": 7}', 'no "text"'),
        (b'{"id": "a", "text": " "}', "no text"),
        (b'{"id": "\xff", "text": "x"}', "not UTF-8"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_a_record_that_is_none_is_refused_with_the_reason(line: bytes, reason: str) -> None:
    with pytest.raises(ArticleRejected, match=reason):
        parse_record(line, KB)
