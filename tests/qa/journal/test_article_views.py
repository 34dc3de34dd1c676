"""Views and votes: once a reader, article and day, and nothing to tell a reader by."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from qa.journal.article_views import Views, Votes
from qa.journal.sqlite.journal import SqliteJournal

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
SAFARI = "Mozilla/5.0 (Macintosh; Intel Mac OS X 15_0) AppleWebKit/605.1.15 Version/19.0 Safari/605.1.15"


class Calendar:
    """A day that a test can let pass."""

    def __init__(self) -> None:
        self.day = date(2026, 3, 30)

    def __call__(self) -> date:
        return self.day


@pytest.fixture
def calendar() -> Calendar:
    return Calendar()


@pytest.fixture
def views(tmp_path: Path, calendar: Calendar) -> Iterator[Views]:
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    yield Views(journal.views, calendar)
    journal.close()


def test_a_reader_counts_once_an_article_and_day(views: Views, calendar: Calendar) -> None:
    for _ in range(3):
        views.count("tokens", "10.0.0.1", FIREFOX)
    views.count("retries", "10.0.0.1", FIREFOX)
    assert views.all() == {"tokens": 1, "retries": 1}
    calendar.day += timedelta(days=1)
    views.count("tokens", "10.0.0.1", FIREFOX)
    assert views.of("tokens") == 2


def test_another_address_or_browser_is_another_reader(views: Views) -> None:
    for address, browser in [("10.0.0.1", FIREFOX), ("10.0.0.2", FIREFOX), ("10.0.0.1", SAFARI)]:
        views.count("tokens", address, browser)
    assert views.of("tokens") == 3
    assert views.of("retries") == 0


@pytest.mark.parametrize("robot", ["", "curl/8.5", "Googlebot/2.1", "python-requests/2.3", "HeadlessChrome/156"])
def test_robots_do_not_count(views: Views, robot: str) -> None:
    views.count("tokens", "10.0.0.1", robot)
    assert views.of("tokens") == 0


def test_the_first_vote_of_a_reader_and_day_counts(views: Views) -> None:
    views.vote("tokens", "10.0.0.1", FIREFOX, helpful=False)
    views.vote("tokens", "10.0.0.1", FIREFOX, helpful=True)
    views.vote("tokens", "10.0.0.2", FIREFOX, helpful=True)
    assert views.votes_since(date(2026, 3, 30)) == {"tokens": Votes(yes=1, no=1)}
    assert views.votes_since(date(2026, 3, 31)) == {}
    assert views.of("tokens") == 0


def test_what_a_reader_was_told_by_is_gone_the_next_day(views: Views, calendar: Calendar, tmp_path: Path) -> None:
    views.count("tokens", "10.0.0.1", FIREFOX)
    views.count("retries", "10.0.0.1", FIREFOX)
    with sqlite3.connect(tmp_path / "journal.sqlite") as db:
        before = db.execute("SELECT mark FROM readers").fetchall()
        assert len({mark for (mark,) in before}) == 2  # nor do two articles share it
        old = db.execute("SELECT salt FROM salts").fetchone()
    calendar.day += timedelta(days=1)
    views.count("tokens", "10.0.0.1", FIREFOX)
    with sqlite3.connect(tmp_path / "journal.sqlite") as db:
        after = db.execute("SELECT mark FROM readers").fetchall()
        assert db.execute("SELECT count(*) FROM salts").fetchone() == (1,)
        assert db.execute("SELECT salt FROM salts").fetchone() != old
    db.close()
    assert len(after) == 1
    assert after[0] not in before
