"""What is embedded of a chunk: its context line and its text, and where its quotables are in them."""

from __future__ import annotations

from dataclasses import replace

from indexes.types import Chunk, PassageText, Quotable, passage_text

MARKDOWN = "Do this:\n\n- stop it\n- start it\n\nThen wait."
LEAD, LIST, FIRST, SECOND, LAST = (0, 8), (10, 30), (10, 19), (20, 30), (32, 42)


def chunk(start: int, end: int, *spans: tuple[int, int]) -> Chunk:
    quotables = tuple(Quotable("sentence", *span) for span in spans)
    return Chunk("a", start, end, (), "Title › Restarting", quotables)


def embedded(chunk: Chunk) -> PassageText:
    return passage_text(chunk, MARKDOWN[chunk.start : chunk.end])


def quoted(passage: PassageText) -> list[str]:
    return [passage.text[start:end] for start, end in passage.spans]


def test_the_context_line_comes_first_and_then_each_quotable_at_its_place() -> None:
    passage = embedded(chunk(0, 42, LEAD, LIST, SECOND, LAST))
    assert passage.text == f"Title › Restarting\n{MARKDOWN}"
    assert quoted(passage) == [
        "Title › Restarting",
        "Do this:",
        "- stop it\n- start it",
        "- start it",
        "Then wait.",
    ]


def test_of_a_quotable_that_is_cut_there_is_what_lies_in_the_chunk() -> None:
    assert quoted(embedded(chunk(20, 30, LIST, SECOND))) == ["Title › Restarting", "- start it", "- start it"]
    assert quoted(embedded(chunk(0, 19, LEAD, LIST))) == ["Title › Restarting", "Do this:", "- stop it"]


def test_a_quotable_outside_its_chunk_is_empty_and_never_the_context_line() -> None:
    assert embedded(chunk(10, 30, LEAD, LIST)).spans == ((0, 18), (0, 0), (19, 39))


def test_the_digest_decides_the_text_and_the_places_of_its_quotables() -> None:
    one = embedded(chunk(0, 42, LEAD, LAST))
    assert one.digest == embedded(replace(chunk(0, 42, LEAD, LAST), article_id="b")).digest
    others = [chunk(0, 42, LEAD, LIST), chunk(0, 42, LEAD), chunk(0, 41, LEAD, LAST)]
    assert len({one.digest, *(embedded(other).digest for other in others)}) == 4
