"""Which excerpts an answer is made of, given how likely each passage is to answer."""

from __future__ import annotations

from collections.abc import Sequence

from indexes.types import Article
from ingest.chunking import Chunker
from ingest.structure import outline
from qa.reading.reading import ReadPassage
from qa.types import Passage
from qa.writing.extractive import excerpts

CHUNKER = Chunker(185)
KEYS = (
    "Signing keys are rotated every quarter, so that a stolen one is soon worthless to whoever has it in their hands."
)
COPY = "A signing key is rotated every quarter so that a stolen one is soon worthless to whoever has it in his hands."
POOLS = (
    "A connection pool of ten serves most services, and a larger one mostly moves the queue into the database itself."
)


def read(*articles: tuple[str, float]) -> list[ReadPassage]:
    """The only chunk of each article with the probability that it answers; its first sentence would."""
    found = []
    for number, (markdown, probability) in enumerate(articles):
        article = Article(f"a{number}", "Title", "", (), False, 0, None, "Article", "KB", None, markdown)
        (chunk,) = CHUNKER.chunk(article, outline(markdown, article.title))
        place = (chunk.start, chunk.end, chunk.quotables)
        passage = Passage(number, article, chunk.heading, chunk.context, *place, score=1.0, similarity=0.6)
        shares = (1.0, *([0.0] * (len(chunk.quotables) - 1)))
        found.append(ReadPassage(passage, probability, shares))
    return found


def sources(passages: Sequence[ReadPassage], most: int) -> list[str]:
    return [found.passage.article.id for found in excerpts(passages, most)]


def test_the_most_likely_passages_are_quoted_in_their_order() -> None:
    assert sources(read((POOLS, 0.6), (KEYS, 0.3)), most=2) == ["a0", "a1"]


def test_no_more_are_quoted_than_asked_for() -> None:
    assert sources(read((POOLS, 0.6), (KEYS, 0.3)), most=1) == ["a0"]


def test_what_another_excerpt_has_said_is_left_out() -> None:
    assert sources(read((KEYS, 0.5), (COPY, 0.4), (POOLS, 0.1)), most=2) == ["a0", "a2"]


def test_a_passage_too_far_back_to_be_read_for_spans_is_not_quoted() -> None:
    (first,) = read((POOLS, 0.6))
    assert excerpts([ReadPassage(first.passage, 0.6)], most=2) == []
