"""A statement is supported by its own quotation, word for word, and by nothing else."""

from __future__ import annotations

from dataclasses import replace

from indexes.types import Article
from qa.types import Passage
from qa.writing.statements import Quote, Statement, quoting
from qa.writing.verifying import QuotationVerifier

MARKDOWN = "Tokens live for ten minutes. Sessions do not."
ARTICLE = Article("tokens", "Tokens", "", (), False, 0, None, "Article", "Security", None, MARKDOWN)
PASSAGE = Passage(1, ARTICLE, (), "Tokens", 0, len(MARKDOWN), (), 1.0, 0.9)
QUOTE = Quote("sentence", PASSAGE, 0, 28)


def supported(statement: Statement) -> bool:
    return QuotationVerifier().supports(statement).supported


def test_a_statement_that_is_its_quotation_is_supported() -> None:
    assert quoting(QUOTE).text == "Tokens live for ten minutes."
    assert supported(quoting(QUOTE))


def test_a_statement_that_says_something_else_is_not() -> None:
    assert not supported(replace(quoting(QUOTE), text="Tokens live for an hour."))


def test_a_statement_without_a_quotation_or_with_two_is_not() -> None:
    assert not supported(replace(quoting(QUOTE), quotes=()))
    assert not supported(replace(quoting(QUOTE), quotes=(QUOTE, QUOTE)))


def test_a_quotation_that_ends_outside_its_article_supports_nothing() -> None:
    assert not supported(quoting(replace(QUOTE, end=1_000)))
