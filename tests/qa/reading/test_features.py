from __future__ import annotations

import pytest

from indexes.types import Article, Quotable, QuotableKind
from qa.reading.features import QuotableFeatures, quotable_features
from qa.types import Passage


def spans(*quotables: tuple[QuotableKind, str]) -> tuple[QuotableFeatures, ...]:
    """The spans of an article that holds these quotables, one after the other."""
    markdown, found = "", []
    for kind, text in quotables:
        found.append(Quotable(kind, len(markdown), len(markdown) + len(text)))
        markdown += f"{text}\n\n"
    article = Article("a", "A", "", (), False, 0, None, "", "", None, markdown)
    return quotable_features(Passage(0, article, (), "A", 0, len(markdown), tuple(found), 1.0, None))


def test_a_block_has_the_words_of_the_sentence_that_introduces_it() -> None:
    sentence, block, other = spans(("sentence", "Rotate like this:"), ("code", "revoke()"), ("code", "expire()"))
    assert sentence.introduces
    assert block.words == {"rotat", "like", "this", "revok"}
    assert other.words == {"expir"}


@pytest.mark.parametrize(
    ("text", "dangles", "elsewhere", "amount"),
    [
        ("Tokens live for an hour.", False, False, False),
        ("This takes 30 seconds.", True, False, True),
        ("The table below lists them.", False, True, False),
        ("Retries are described in the runbook.", False, True, False),
    ],
)
def test_a_sentence_that_needs_another_is_known(text: str, dangles: bool, elsewhere: bool, amount: bool) -> None:
    (span,) = spans(("sentence", text))
    assert (span.dangles, span.elsewhere, span.amount) == (dangles, elsewhere, amount)


def test_a_passage_without_quotables_has_no_spans() -> None:
    assert spans() == ()
