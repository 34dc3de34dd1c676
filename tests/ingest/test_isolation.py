"""What hostile input costs: one file, with a reason, never an ingest."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from functools import partial

import pytest

from indexes.types import Category
from ingest.article_indexing import index_article
from ingest.chunking import Chunker
from ingest.errors import ArticleRejected
from ingest.formats.parsing import parse_html, parse_markdown
from ingest.isolation import Isolated, guarded


@pytest.fixture(scope="module")
def isolated() -> Iterator[Isolated]:
    with Isolated() as isolated:
        yield isolated


def test_an_isolated_call_returns_what_the_function_returns(isolated: Isolated) -> None:
    assert isolated.call(divmod, 7, 2) == (3, 1)


def test_an_article_is_indexed_alike_inside_and_outside(isolated: Isolated, chunker: Chunker) -> None:
    parse = partial(parse_markdown, "a", b"# Tokens\n\nThey rotate. All of them.", Category("KB"))
    assert isolated.call(index_article, parse, "f", chunker) == index_article(parse, "f", chunker)


def test_what_takes_too_long_is_stopped_with_a_reason_and_the_next_call_is_answered() -> None:
    with Isolated(seconds=2.0) as impatient:
        with pytest.raises(ArticleRejected, match="takes longer than 2 s to read"):
            impatient.call(time.sleep, 60)
        assert impatient.call(abs, -3) == 3


def test_a_crash_is_a_reason_and_the_next_call_is_answered(isolated: Isolated) -> None:
    with pytest.raises(ArticleRejected, match="too much memory or fails"):
        isolated.call(os.abort)
    assert isolated.call(abs, -3) == 3


def test_what_takes_too_much_memory_is_refused(isolated: Isolated) -> None:
    with pytest.raises(ArticleRejected, match="too much memory"):
        isolated.call(bytearray, 1 << 40)


@pytest.mark.parametrize("isolation", [True, False], ids=["isolated", "in the ingest itself"])
def test_an_error_nobody_foresaw_rejects_one_article(isolated: Isolated, isolation: bool) -> None:
    call = isolated.call if isolation else guarded
    with pytest.raises(ArticleRejected, match=r"could not be read \(ZeroDivisionError"):
        call(divmod, 1, 0)


def test_a_rejection_keeps_its_reason(isolated: Isolated) -> None:
    with pytest.raises(ArticleRejected, match="not UTF-8"):
        isolated.call(parse_markdown, "a", b"caf\xe9", Category("KB"))


@pytest.mark.parametrize(
    "text", ["`" * 16_000, "a_b_" * 4_000, "+++\n" + "a." * 4_000 + "b=1\n+++\nText."], ids=["ticks", "marks", "keys"]
)
def test_hostile_markdown_too_small_to_be_isolated_is_indexed_in_linear_time(
    isolated: Isolated, chunker: Chunker, text: str
) -> None:
    parse = partial(parse_markdown, "a", text.encode(), Category("KB"))
    assert isolated.call(index_article, parse, "f", chunker).article.id == "a"


def test_eighty_kilobytes_of_unclosed_comments_are_read_at_once(isolated: Isolated) -> None:
    with pytest.raises(ArticleRejected, match="no text"):
        isolated.call(parse_html, "a", b"<!--" * 20_000, Category("KB"))
