"""Which excerpts an answer is made of, given how likely each passage is to answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from indexes.types import Article
from ingest.chunking import Chunker
from ingest.structure import outline
from qa.reading.reading import Reading, ReadPassage
from qa.types import Passage
from qa.writing.extractive import ExtractiveWriter, excerpts

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


HANDLING = """## Poison messages

A poison message fails every time it is processed, because its body is malformed or refers to a record that is gone.

It blocks everything that stands behind it in an ordered queue, and burns the time of the consumer without an end.

{filler}

Reject a message that cannot be parsed at once, without retries, because its content will not change by waiting.

## Delays

Set the delay of a message between attempts so that it grows, up to a minute, with some chance in it each time.

{filler}

## Metrics

Count the messages that are set aside each day, and page somebody once there are more of them than a hundred or so.
"""
FILLER = " ".join(f"Sentence number {n} of the filler says nothing that anybody wants to know." for n in range(15))
BLOCKS, REJECT, DELAY, METRICS = "It blocks everything", "Reject a message", "Set the delay", "Count the messages"


def quoted(probabilities: Mapping[str, float]) -> list[str]:
    """What an answer quotes of the article above, by its marks, where passages with these are that likely to answer."""
    markdown = HANDLING.format(filler=FILLER)
    article = Article("queues", "Queues", "", (), False, 0, None, "Article", "KB", None, markdown)
    read = []
    for number, chunk in enumerate(CHUNKER.chunk(article, outline(markdown, article.title))):
        place = (chunk.start, chunk.end, chunk.quotables)
        passage = Passage(number, article, chunk.heading, chunk.context, *place, score=1.0, similarity=0.6)
        for start, probability in probabilities.items():
            shares = tuple(float(markdown[q.start :].startswith(start)) for q in chunk.quotables)
            if any(shares):
                read.append(ReadPassage(passage, probability, shares))
    reading = Reading(tuple(sorted(read, key=lambda one: -one.probability)), 0.1, 0.6)
    statements = list(ExtractiveWriter().write(cast(Any, None), reading))  # the question is not looked at
    return [start for statement in statements for start in probabilities if start in statement.text]


def test_what_goes_on_in_the_same_section_completes_the_answer() -> None:
    assert quoted({BLOCKS: 0.6, REJECT: 0.04}) == [BLOCKS, REJECT]


def test_what_is_hardly_likely_is_left_out_even_in_the_same_section() -> None:
    assert quoted({BLOCKS: 0.6, REJECT: 0.02}) == [BLOCKS]


def test_an_article_is_quoted_as_it_goes_on_whichever_passage_is_the_best() -> None:
    assert quoted({REJECT: 0.6, BLOCKS: 0.1}) == [BLOCKS, REJECT]


def test_what_stands_next_to_it_is_quoted_too_where_it_may_well_answer() -> None:
    assert quoted({REJECT: 0.6, DELAY: 0.1}) == [REJECT, DELAY]
    assert quoted({REJECT: 0.6, DELAY: 0.04}) == [REJECT]


def test_another_section_is_quoted_only_where_it_is_nearly_as_likely() -> None:
    assert quoted({BLOCKS: 0.5, METRICS: 0.4}) == [BLOCKS, METRICS]
    assert quoted({BLOCKS: 0.5, METRICS: 0.3}) == [BLOCKS]
