"""Which part of a passage is quoted, given which of its quotables are thought to answer."""

from __future__ import annotations

from indexes.types import Article
from ingest.chunking import Chunker
from ingest.structure import outline
from qa.reading.reading import ReadPassage
from qa.types import Passage
from qa.writing.excerpts import Excerpt, excerpt

CHUNKER = Chunker(185)
STEPS = """## Rotating a key

A signing key is rotated every quarter so that a stolen one is soon worthless to whoever has it. Nobody is told.

Use these steps to rotate a signing key:

1. Create the new key beside the old one and publish both.
2. Sign with the new key from now on.
3. Remove the old key a day later, once nothing uses it.

The snippet names both keys:

```yaml
signing: new
verifying: [new, old]
```
"""
POOL = """## Sizing the pool

A pool of ten connections serves most services, whatever the load on them may be at the time of day. Start with ten.

This holds for batch jobs as well, whose connections are idle for most of the night and need no pool of their own.

Dashboards are described elsewhere and have nothing to do with any of it, as everybody knows who has read one of them.
"""


def quoted(markdown: str, **answering: float) -> Excerpt:
    """The excerpt of the only chunk of an article in which the quotables that begin so are thought to answer."""
    article = Article("keys", "Keys", "", (), False, 0, None, "Article", "KB", None, markdown)
    (chunk,) = CHUNKER.chunk(article, outline(markdown, article.title))
    place = (chunk.start, chunk.end, chunk.quotables)
    passage = Passage(0, article, chunk.heading, chunk.context, *place, score=1.0, similarity=0.6)
    texts = [markdown[q.start : q.end].lstrip("0123456789. `") for q in chunk.quotables]
    shares = [next((p for start, p in answering.items() if t.startswith(start.replace("_", " "))), 0.0) for t in texts]
    found = excerpt(ReadPassage(passage, 0.9, tuple(shares)))
    assert found is not None
    return found


def keys(found: Excerpt) -> list[str]:
    return [found.passage.article.markdown[span.start : span.end] for span in found.key]


def test_the_sentence_that_answers_is_quoted_and_marked() -> None:
    found = quoted(POOL, A_pool=0.9)
    assert keys(found) == [
        "A pool of ten connections serves most services, whatever the load on them may be at the time of day."
    ]
    assert "Dashboards" not in found.text


def test_an_excerpt_is_a_contiguous_part_of_its_article() -> None:
    found = quoted(STEPS, Create=0.4, yaml=0.4)
    assert STEPS[found.span.start : found.span.end] == found.text
    assert "Use these steps" in found.text
    assert "verifying" in found.text


def test_one_step_brings_its_whole_list_and_the_sentence_that_introduces_it() -> None:
    found = quoted(STEPS, Sign_with=1.0)
    assert found.text.startswith("Use these steps to rotate a signing key:")
    assert "1. Create the new key" in found.text
    assert found.text.endswith("once nothing uses it.")
    assert keys(found) == ["2. Sign with the new key from now on."]


def test_a_sentence_that_introduces_a_block_brings_the_block() -> None:
    found = quoted(STEPS, The_snippet=1.0)
    assert "The snippet names both keys:\n\n```yaml\n" in found.text
    assert found.text.endswith("```")


def test_a_sentence_that_points_back_brings_what_it_points_to() -> None:
    found = quoted(POOL, This_holds=1.0)
    assert found.text.startswith("Start with ten.")
    assert "This holds for batch jobs" in found.text


def test_a_short_sentence_is_not_left_alone() -> None:
    assert len(quoted(POOL, Start_with=1.0).text.split()) >= 20


def test_what_answers_nothing_is_left_out_at_both_ends() -> None:
    found = quoted(STEPS, A_signing=0.9)
    assert "verifying" not in found.text


def test_a_list_as_a_whole_counts_for_each_of_its_items() -> None:
    article = "A list follows here that nobody has introduced at all.\n\n- one thing to do\n- another thing to do\n"
    found = quoted(article, **{"-": 1.0})
    assert "- one thing to do\n- another thing to do" in found.text


def test_a_paragraph_becomes_one_statement_and_a_list_another() -> None:
    kinds = [statement.kind for statement in quoted(STEPS, A_signing=0.5, Sign_with=0.5).statements()]
    assert kinds == ["sentence", "sentence", "list"]


def test_a_passage_in_which_no_span_was_read_is_not_quoted() -> None:
    article = Article("a", "A", "", (), False, 0, None, "Article", "KB", None, "Text.")
    assert excerpt(ReadPassage(Passage(0, article, (), "A", 0, 5, (), 1.0, None), 0.5)) is None
