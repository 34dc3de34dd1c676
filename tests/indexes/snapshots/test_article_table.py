"""The article table: listings, tags, counts and pages of the five tiny articles."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from indexes.models.embedding import Embedder
from indexes.snapshots.article_table import ArticleTable
from indexes.snapshots.publisher import SnapshotPublisher
from indexes.snapshots.publishing import open_current
from indexes.types import Filter, Sort
from ingest.chunking import Chunker
from ingest.sync import Synchroniser
from tests.conftest import TINY, quiet, write_articles


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder, chunker: Chunker) -> ArticleTable:
    folder = tmp_path_factory.mktemp("articles")
    Synchroniser(SnapshotPublisher(folder / "index", 3), embedder, chunker, quiet).sync(
        [write_articles(folder / "source", TINY)]
    )
    return open_current(folder / "index").articles


def ids(table: ArticleTable, filter: Filter = Filter(), **how: object) -> list[str]:
    return [article.id for article in table.listing(filter, **how).articles]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("featured", ["tokens", "retries", "logging", "caching", "guides/deploying"]),
        ("newest", ["tokens", "retries", "logging", "caching", "guides/deploying"]),
        ("views", ["tokens", "caching", "guides/deploying", "retries", "logging"]),
        ("title", ["caching", "guides/deploying", "retries", "tokens", "logging"]),
    ],
)
def test_a_listing_is_sorted_as_asked(table: ArticleTable, sort: Sort, expected: list[str]) -> None:
    assert ids(table, sort=sort) == expected


def test_pages_of_a_listing_follow_each_other_and_know_the_total(table: ArticleTable) -> None:
    pages = [table.listing(sort="title", limit=2, offset=offset) for offset in (0, 2, 4, 6)]
    assert [[article.id for article in page.articles] for page in pages] == [
        ["caching", "guides/deploying"],
        ["retries", "tokens"],
        ["logging"],
        [],
    ]
    assert {page.total for page in pages} == {5}


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        (Filter(("auth",)), ["tokens", "retries"]),
        (Filter(("auth", "http")), ["tokens", "retries", "caching"]),
        (Filter(("auth", "tokens"), "all"), ["tokens"]),
        (Filter(("auth", "http"), "all"), []),
        (Filter(("AUTH", " Tokens "), "all"), ["tokens"]),
        (Filter(("auth", "unheard of")), ["tokens", "retries"]),
        (Filter(("auth", "unheard of"), "all"), []),
        (Filter(("unheard of",)), []),
    ],
)
def test_a_tag_filter_asks_for_any_or_all_of_its_tags(table: ArticleTable, filter: Filter, expected: list[str]) -> None:
    assert ids(table, filter) == expected
    assert table.listing(filter).total == len(expected)
    mask = table.mask(filter)
    assert mask is not None
    allowed = [number for number, open in enumerate(mask) if open]
    assert set(table.owners(allowed)) == set(expected)
    assert len(allowed) == sum(len(table.chunks_of(id)) for id in expected)


def test_without_tags_nothing_is_filtered(table: ArticleTable) -> None:
    assert table.mask(Filter()) is None
    assert table.listing(Filter()).total == 5


def test_tags_are_counted_most_frequent_first_among_what_matches(table: ArticleTable) -> None:
    assert table.tag_counts() == [("auth", 2), ("http", 1), ("observability", 1), ("resilience", 1), ("tokens", 1)]
    assert table.tag_counts(Filter(("resilience",))) == [("auth", 1), ("resilience", 1)]


def test_a_tag_is_known_whatever_its_case(table: ArticleTable) -> None:
    assert table.tag_name(" HTTP ") == "http"
    assert table.tag_name("unheard of") is None


def test_an_article_comes_back_as_it_was_ingested(table: ArticleTable) -> None:
    article = table.article("tokens")
    assert article is not None
    assert (article.title, article.tags, article.featured) == ("Rotating refresh tokens", ("auth", "tokens"), True)
    assert (article.views, article.updated) == (3, date(2026, 3, 30))
    assert article.markdown == TINY["tokens"].split("---\n", 2)[2].strip("\n")
    assert table.article("unheard-of") is None
    assert table.tags_of("tokens") == ("auth", "tokens")
    assert table.tags_of("unheard-of") == ()


def test_headings_and_chunks_come_back_at_their_places(table: ArticleTable) -> None:
    entry = table.indexed("tokens")
    assert entry is not None
    markdown = entry.article.markdown
    assert [(h.text, markdown[h.start : h.start + 3]) for h in entry.headings] == [
        ("Detecting reuse", "## "),
        ("Configuring the lifetime", "## "),
    ]
    assert table.headings("tokens") == entry.headings
    stored = table.chunks(table.chunks_of("tokens"))
    assert [s.chunk for s in stored] == list(entry.chunks)
    assert [s.text for s in stored] == [markdown[c.start : c.end] for c in entry.chunks]
    assert table.indexed("unheard-of") is None
    assert table.headings("unheard-of") == ()


def test_chunks_come_in_the_order_asked_for_with_their_owners(table: ArticleTable) -> None:
    numbers = [table.chunks_of("tokens")[0], table.chunks_of("caching")[0], table.chunks_of("logging")[0]]
    for order in (numbers, numbers[::-1]):
        assert [stored.number for stored in table.chunks(order)] == order
        assert [stored.article.id for stored in table.chunks(order)] == table.owners(order)
    assert table.chunks([]) == []


def test_a_chunk_knows_its_neighbours_within_its_article(table: ArticleTable) -> None:
    first, *_, last = table.chunks_of("tokens")
    (only,) = table.chunks_of("caching")
    around = table.around(np.array([first, first + 1, last, only]))
    assert around.tolist() == [
        [-1, first, last - 1, -1],
        [first, first + 1, last, only],
        [first + 1, first + 2, -1, -1],
    ]
    assert last > first + 1
    assert table.around(np.array([], dtype=np.int64)).shape == (3, 0)


@pytest.mark.parametrize("hostile", ["' OR 1=1 --", "%", "_", '"', "\x00"])
def test_quotes_and_wildcards_are_plain_text(table: ArticleTable, hostile: str) -> None:
    assert table.article(hostile) is None
    assert table.tag_name(hostile) is None
    assert table.listing(Filter((hostile,))).total == 0


def test_the_table_is_read_only(table: ArticleTable, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="readonly"):
        table._db.execute("DELETE FROM articles")
