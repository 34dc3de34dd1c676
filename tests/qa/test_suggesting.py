"""What is suggested after an answer: sections of the cited articles that it did not quote."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import pytest

from indexes.snapshots.publishing import open_current
from qa.suggesting import suggestions
from qa.types import Citation, Question
from tests.conftest import Site

ARTICLES = {
    "sagas": """# Sagas — a guide

## Overview

A saga is a chain of local transactions.

## Compensating a failed step

A failed step is undone.

## JWT storage

A token is stored.

### In a cookie

A cookie is safe.

## Timeouts

A step ends.
""",
    "retries": """# Retries

## When to stop?

Stop after three.

## Retry checklist

Check the key.

## Retries

A client retries.
""",
    "notes": "# Notes\n\nNo sections here.\n",
}
TITLES = {"sagas": "Sagas — a guide", "retries": "Retries", "notes": "Notes"}

Suggested: TypeAlias = Callable[..., tuple[str, ...]]


@pytest.fixture(scope="module")
def suggested(indexed: Callable[..., Path], tiny_site: Site) -> Suggested:
    """What is suggested where `cited`, pairs of an article and the heading quoted from, are the footnotes."""
    snapshot = open_current(indexed(ARTICLES))
    answer = tiny_site.services.answerer.ask(Question("How long does an access token live?"))

    def suggested(*cited: tuple[str, str]) -> tuple[str, ...]:
        citations = tuple(
            Citation(n, id, TITLES[id], f"/articles/{id}", (heading,), "A", 0, 1)
            for n, (id, heading) in enumerate(cited, start=1)
        )
        return suggestions(replace(answer, citations=citations), snapshot)

    return suggested


def test_sections_that_were_not_quoted_become_questions_about_their_article(suggested: Suggested) -> None:
    assert suggested(("sagas", "Timeouts")) == ("Sagas: compensating a failed step", "Sagas: JWT storage")


def test_a_section_that_was_quoted_is_not_suggested(suggested: Suggested) -> None:
    assert suggested(("sagas", "Compensating a failed step")) == ("Sagas: JWT storage", "Sagas: timeouts")


def test_headings_that_every_article_has_and_the_title_itself_are_left_out(suggested: Suggested) -> None:
    assert suggested(("retries", "Elsewhere")) == ("When to stop?",)  # a question stays as it is


def test_the_first_source_comes_first_and_three_are_the_most(suggested: Suggested) -> None:
    assert suggested(("retries", "Elsewhere"), ("sagas", "Timeouts"), ("sagas", "Overview")) == (
        "When to stop?",
        "Sagas: compensating a failed step",
        "Sagas: JWT storage",
    )
    assert len(suggested(("sagas", "Timeouts"), ("retries", "Elsewhere"))) == 3


def test_nothing_is_suggested_without_sources_or_sections(suggested: Suggested) -> None:
    assert suggested() == ()
    assert suggested(("notes", "Notes")) == ()
