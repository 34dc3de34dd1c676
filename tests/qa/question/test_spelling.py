"""Typing errors in a question, over the words of five tiny articles."""

from __future__ import annotations

import pytest

from indexes.models.word_list import WordList
from qa.question.spelling import Speller
from tests.conftest import Site


def mended(site: Site, question: str) -> str:
    return Speller(WordList()).mended(question, site.services.store.current())


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("how do I rotate a refersh token?", "how do I rotate a refresh token?"),
        ("expontential backoff", "exponential backoff"),
        ("roll back a deploymnet", "roll back a deployment"),
    ],
)
def test_a_misspelt_word_becomes_the_near_one_that_articles_have(tiny_site: Site, typed: str, meant: str) -> None:
    assert mended(tiny_site, typed) == meant


@pytest.mark.parametrize(
    "question", ["how do I roll back a deployment?", "Is lunch free?", "bears repeating", "???", ""]
)
def test_words_that_articles_have_or_that_are_english_stay(tiny_site: Site, question: str) -> None:
    assert mended(tiny_site, question) == question


@pytest.mark.parametrize(
    "question", ["Refersh", "refersh_ttl", "refersh.conf", "http://refersh", "--refersh", "refersh2"]
)
def test_what_is_written_like_a_name_stays(tiny_site: Site, question: str) -> None:
    assert mended(tiny_site, question) == question


def test_a_word_near_nothing_stays(tiny_site: Site) -> None:
    assert mended(tiny_site, "zzyzxqq") == "zzyzxqq"
