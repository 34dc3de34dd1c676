"""Selecting articles by words that may be mistyped, tags and order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import cast

import pytest

from indexes.snapshots.snapshot import Snapshot
from indexes.types import ArticleSummary, Filter
from qa.catalogue import Catalogue, ListingQuery, Selection


def listed(id: str, title: str, tags: str, updated: str, featured: bool = False, views: int = 0) -> ArticleSummary:
    return ArticleSummary(
        id,
        title,
        f"About {title.lower()}.",
        tuple(tags.split()),
        featured,
        views,
        date.fromisoformat(updated),
        "Article",
        "KB",
        None,
    )


SHELF = [
    listed("tokens", "Rotating refresh tokens", "auth tokens", "2026-03-30", featured=True),
    listed("retries", "Retrying requests with idempotency keys", "resilience auth", "2026-03-29", views=5),
    listed("caching", "Caching responses", "http", "2026-01-02", views=3),
    listed("limits", "Limiting requests", "http retries", "2026-02-01"),
]


@dataclass
class _Table:
    def listed(self) -> list[ArticleSummary]:
        return SHELF


@dataclass(eq=False)
class _Snapshot:
    """All that a catalogue reads of a snapshot."""

    articles: _Table


SNAPSHOT = cast(Snapshot, _Snapshot(_Table()))


def select(wanted: ListingQuery, views: dict[str, int] | None = None) -> Selection:
    return Catalogue().select(SNAPSHOT, wanted, views or {})


def ids(wanted: ListingQuery, views: dict[str, int] | None = None) -> list[str]:
    return [article.id for article in select(wanted, views).articles]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (None, ["tokens", "retries", "limits", "caching"]),
        ("newest", ["tokens", "retries", "limits", "caching"]),
        ("views", ["retries", "caching", "tokens", "limits"]),
        ("title", ["caching", "limits", "retries", "tokens"]),
    ],
)
def test_articles_come_in_the_order_asked_for(order: object, expected: list[str]) -> None:
    assert ids(ListingQuery(order=order)) == expected  # type: ignore[arg-type]


def test_a_word_in_a_title_counts_more_than_one_in_a_tag_or_a_part_of_a_word() -> None:
    assert ids(ListingQuery("retr")) == ["retries", "limits"]
    assert ids(ListingQuery("retries")) == ["limits"]
    assert ids(ListingQuery("requests")) == ["retries", "limits"]


def test_every_word_must_occur() -> None:
    assert ids(ListingQuery("requests http")) == ["limits"]
    assert ids(ListingQuery("requests tokens")) == []


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("idempotncy", "idempotency"),
        ("cachnig", "caching"),
        ("refesh token", "refresh token"),
        ("rotatnig", "rotating"),
        ("idempotnc", "idempotency"),
    ],
)
def test_a_mistyped_word_finds_what_was_meant_and_says_so(typed: str, meant: str) -> None:
    found = select(ListingQuery(typed))
    assert found.corrected == meant
    assert found.articles


@pytest.mark.parametrize("typed", ["zebra", "qqqqqqq", "zq", "x" * 400, "'\"; DROP", "🙂🙂🙂"])
def test_a_word_that_is_near_nothing_finds_nothing(typed: str) -> None:
    assert select(ListingQuery(typed)) == Selection((), (), (), "")


def test_a_word_that_is_known_is_never_corrected() -> None:
    assert select(ListingQuery("caching tokens")).corrected == ""


def test_tags_are_counted_among_what_matches_and_offered_by_what_they_would_add() -> None:
    any_tag = select(ListingQuery(filter=Filter(("auth",))))
    assert any_tag.tags == (("auth", 2), ("resilience", 1), ("tokens", 1))
    assert dict(any_tag.offered)["http"] == 2
    all_tags = select(ListingQuery(filter=Filter(("auth",), "all")))
    assert all_tags.offered == all_tags.tags
    assert ids(ListingQuery(filter=Filter(("auth", "resilience"), "all"))) == ["retries"]


def test_featured_articles_alone() -> None:
    assert ids(ListingQuery(featured=True)) == ["tokens"]
    assert ids(ListingQuery(featured=False)) == ["retries", "limits", "caching"]


def test_counted_views_are_added_to_those_of_the_listing() -> None:
    found = select(ListingQuery(order="views"), {"limits": 9, "gone": 4})
    assert [(article.id, article.views) for article in found.articles][:2] == [("limits", 9), ("retries", 5)]
