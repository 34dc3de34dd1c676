"""Chunks follow the structure of an article, fit their budget, and know their exact place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from indexes.types import Article, Chunk, embedded_text
from ingest.chunking import Chunker
from ingest.sources.folders import read_source
from ingest.sources.items import Ignored, SourceItem
from ingest.structure import Block, Outline, outline
from tests.conftest import KB

BUDGETS = (64, 185)  # tokens; the smaller one cuts most lists, tables and code blocks of the KB


@dataclass(frozen=True)
class Cut:
    """An article with its outline and its chunks."""

    article: Article
    outline: Outline
    chunks: tuple[Chunk, ...]

    @property
    def blocks(self) -> list[Block]:
        return [block for section in self.outline.sections for block in section.blocks]

    def text(self, chunk: Chunk) -> str:
        return self.article.markdown[chunk.start : chunk.end]


def article(markdown: str, title: str = "Tokens") -> Article:
    return Article("tokens", title, "", (), False, 0, None, "Article", "KB", None, markdown)


def cut(article: Article, chunker: Chunker) -> Cut:
    parsed = outline(article.markdown, article.title)
    return Cut(article, parsed, chunker.chunk(article, parsed))


def texts(markdown: str, budget: int, title: str = "T") -> list[str]:
    whole = cut(article(markdown, title), Chunker(budget))
    return [whole.text(chunk) for chunk in whole.chunks]


def tokens_of(cut: Cut, chunker: Chunker) -> list[int]:
    return [chunker.count(embedded_text(chunk, cut.text(chunk))) for chunk in cut.chunks]


@pytest.fixture(scope="module", params=BUDGETS)
def chunker_and_kb(request: pytest.FixtureRequest) -> tuple[Chunker, list[Cut]]:
    chunker = Chunker(request.param)
    items = [item for item in read_source(KB, Ignored()) if isinstance(item, SourceItem)]
    return chunker, [cut(item.parse(), chunker) for item in items]


# --- what holds for every article of the bundled KB, whatever the budget


def test_chunks_of_the_kb_are_in_order_and_do_not_overlap(chunker_and_kb: tuple[Chunker, list[Cut]]) -> None:
    for cut in chunker_and_kb[1]:
        places = [place for chunk in cut.chunks for place in (chunk.start, chunk.end)]
        assert places == sorted(places), cut.article.id
        assert all(cut.text(chunk).strip() for chunk in cut.chunks), cut.article.id


def test_chunks_of_the_kb_cover_all_text_that_is_no_heading(chunker_and_kb: tuple[Chunker, list[Cut]]) -> None:
    for cut in chunker_and_kb[1]:
        left = [line for line in _outside(cut) if line.strip()]
        left = [line for line in left if line.strip("|-: ")]  # the line under a table's header says nothing
        assert [line for line in left if not line.startswith("#")] == [], cut.article.id
        assert len(left) == len(cut.outline.headings), cut.article.id


def test_chunks_of_the_kb_fit_the_budget_with_their_context(chunker_and_kb: tuple[Chunker, list[Cut]]) -> None:
    chunker, kb = chunker_and_kb
    budget = int(chunker.id.split("=")[1])
    over = {cut.article.id: n for cut in kb for n in tokens_of(cut, chunker) if n > budget}
    assert over == {}


def test_no_chunk_of_the_kb_crosses_a_heading(chunker_and_kb: tuple[Chunker, list[Cut]]) -> None:
    for cut in chunker_and_kb[1]:
        for chunk in cut.chunks:
            assert not any(chunk.start <= h.start < chunk.end for h in cut.outline.headings), cut.article.id


def test_nothing_in_the_kb_is_cut_unless_it_alone_is_over_budget(chunker_and_kb: tuple[Chunker, list[Cut]]) -> None:
    chunker, kb = chunker_and_kb
    budget = int(chunker.id.split("=")[1])
    for cut in kb:
        for block in cut.blocks:
            for start, end in ((block.start, block.end), *block.parts):
                sharing = [chunk for chunk in cut.chunks if chunk.start < end and chunk.end > start]
                alone = chunker.count(sharing[0].context) + 2 + chunker.count(cut.article.markdown[start:end])
                assert len(sharing) == 1 or alone > budget, (cut.article.id, cut.article.markdown[start:end])


def test_every_quotable_of_the_kb_is_text_without_white_space_around_it(
    chunker_and_kb: tuple[Chunker, list[Cut]],
) -> None:
    for cut in chunker_and_kb[1]:
        for quotable in (q for chunk in cut.chunks for q in chunk.quotables):
            quote = cut.article.markdown[quotable.start : quotable.end]
            assert quote, cut.article.id
            assert quote == quote.strip(), cut.article.id


def test_every_block_of_the_kb_can_be_quoted_from_each_chunk_that_shares_it(
    chunker_and_kb: tuple[Chunker, list[Cut]],
) -> None:
    for cut in chunker_and_kb[1]:
        for block in (b for b in cut.blocks if b.kind in ("list", "code", "table")):
            for chunk in (c for c in cut.chunks if c.start < block.end and c.end > block.start):
                offered = [(q.start, q.end) for q in chunk.quotables if q.kind == block.kind]
                assert (block.start, block.end) in offered, cut.article.id


def _outside(cut: Cut) -> Iterator[str]:
    begin = 0
    for chunk in cut.chunks:
        yield from cut.article.markdown[begin : chunk.start].split("\n")
        begin = chunk.end
    yield from cut.article.markdown[begin:].split("\n")


# --- where cuts fall


def test_a_short_section_is_one_chunk_with_its_context() -> None:
    whole = cut(article("Opening.\n\n## Reuse\n\nRevoke all.\n\n- One\n- Two"), Chunker(100))
    assert [(c.context, c.heading, whole.text(c)) for c in whole.chunks] == [
        ("Tokens", (), "Opening."),
        ("Tokens › Reuse", ("Reuse",), "Revoke all.\n\n- One\n- Two"),
    ]


def test_paragraphs_are_packed_until_the_budget_is_full() -> None:
    paragraphs = [f"This is the {nth} of five short paragraphs." for nth in ("first", "next", "third", "next", "last")]
    assert texts("\n\n".join(paragraphs), 34) == [
        "\n\n".join(paragraphs[:3]),
        "\n\n".join(paragraphs[3:]),
    ]


def test_a_list_item_is_never_cut_unless_it_alone_is_over_budget() -> None:
    items = [f"- Item {n} says one thing. Then it says another thing about that." for n in range(4)]
    long = "- This item is long. " + "It goes on and on with many more words. " * 5
    found = texts("\n".join([*items, long.strip()]), 40)
    assert found[:2] == ["\n".join(items[:2]), "\n".join(items[2:])]
    assert len(found) > 3
    assert all(piece.endswith(".") for piece in found[2:])  # the long one is cut between its sentences


def test_a_table_is_cut_between_rows_and_each_piece_names_the_columns() -> None:
    rows = [f"| 50{n} | the server number {n} has failed |" for n in range(6)]
    whole = cut(article("| Status | Meaning |\n| --- | --- |\n" + "\n".join(rows)), Chunker(48))
    pieces = [whole.text(chunk) for chunk in whole.chunks]
    assert len(pieces) > 1
    assert [row for piece in pieces for row in piece.split("\n") if "50" in row] == rows
    assert [chunk.context for chunk in whole.chunks] == ["Tokens", *["Tokens › Status, Meaning"] * (len(pieces) - 1)]


def test_a_long_code_block_is_cut_between_its_lines() -> None:
    lines = [f"value_{n} = compute_something({n})" for n in range(12)]
    pieces = texts("```python\n" + "\n".join(lines) + "\n```", 40)
    assert len(pieces) > 1
    assert [line for piece in pieces for line in piece.split("\n")] == ["```python", *lines, "```"]


def test_a_sentence_that_introduces_a_block_stays_with_it() -> None:
    before = "Some words stand here to fill up the chunk before it, so that little room is left."
    block = "Run this command to roll back:\n\n```bash\nkubectl rollout undo deployment/web\n```"
    assert texts(f"{before}\n\n{block}", 36) == [before, block]


def test_a_sentence_that_introduces_a_block_is_quotable_wherever_the_block_is_cut() -> None:
    items = [f"- Step number {n} is described in a few words here." for n in range(8)]
    whole = cut(article("Take these steps in order:\n\n" + "\n".join(items)), Chunker(48))
    assert len(whole.chunks) > 1
    for chunk in whole.chunks:
        quotes = [whole.article.markdown[q.start : q.end] for q in chunk.quotables]
        assert quotes[:2] == ["Take these steps in order:", "\n".join(items)]


def test_text_without_any_boundary_is_cut_to_fit() -> None:
    chunker = Chunker(50)
    whole = cut(article("x7Qz" * 500), chunker)
    assert "".join(whole.text(chunk) for chunk in whole.chunks) == "x7Qz" * 500
    assert max(tokens_of(whole, chunker)) <= 50


def test_blank_lines_between_blocks_count_too() -> None:
    chunker = Chunker(100)
    assert max(tokens_of(cut(article("One line." + "\n \n" * 400 + "Another line."), chunker), chunker)) <= 100


def test_a_table_with_long_headings_fits_the_budget() -> None:
    chunker = Chunker(120)
    header = "| " + " | ".join(f"a rather long column name {n}" for n in range(12)) + " |\n" + "| --- " * 12 + "|\n"
    rows = "\n".join("| " + " | ".join(f"v{n}" for n in range(12)) + " |" for _ in range(20))
    assert max(tokens_of(cut(article(header + rows), chunker), chunker)) <= 120


# --- contexts


def test_a_long_title_takes_at_most_a_quarter_of_the_budget() -> None:
    chunker = Chunker(40)
    whole = cut(article("## Reuse\n\nRevoke all of them.", "A very long title " * 50), chunker)
    assert chunker.count(whole.chunks[0].context) <= 10
    assert whole.chunks[0].context.startswith("A very long title")
    assert whole.chunks[0].heading == ("Reuse",)


def test_where_the_path_is_too_long_the_outer_headings_go_first() -> None:
    markdown = "## An outer heading that has rather many words in it\n\n### Reuse\n\nRevoke all of them."
    assert cut(article(markdown), Chunker(40)).chunks[0].context == "Tokens › Reuse"


# --- quotables


def test_quotables_are_sentences_items_and_whole_blocks() -> None:
    markdown = """Tokens rotate on use. The old one is *revoked* at once.

- Revoke the family.
- Log the client out.

```bash
make revoke
```

| Code | Meaning |
| --- | --- |
| 401 | Log in |

> It is simple, she said.
"""
    whole = cut(article(markdown), Chunker(200))
    assert [(q.kind, markdown[q.start : q.end]) for chunk in whole.chunks for q in chunk.quotables] == [
        ("sentence", "Tokens rotate on use."),
        ("sentence", "The old one is *revoked* at once."),
        ("list", "- Revoke the family.\n- Log the client out."),
        ("item", "- Revoke the family."),
        ("item", "- Log the client out."),
        ("code", "```bash\nmake revoke\n```"),
        ("table", "| Code | Meaning |\n| --- | --- |\n| 401 | Log in |"),
        ("sentence", "> It is simple, she said."),
    ]


def test_an_item_of_a_numbered_list_keeps_its_number_and_all_its_sentences() -> None:
    markdown = "1. Create the key. Keep it secret.\n2. Send it. Do not log it.\n"
    whole = cut(article(markdown), Chunker(100))
    items = [markdown[q.start : q.end] for q in whole.chunks[0].quotables if q.kind == "item"]
    assert items == ["1. Create the key. Keep it secret.", "2. Send it. Do not log it."]


def test_fragments_and_template_calls_are_no_quotable_sentences() -> None:
    whole = cut(article("Yes. Sure. Tokens rotate on use. Your name is {{ user.name }} here."), Chunker(100))
    assert [whole.article.markdown[q.start : q.end] for q in whole.chunks[0].quotables] == ["Tokens rotate on use."]


def test_offsets_count_code_points() -> None:
    markdown = "## Ключ 🔑\n\nДержите 🔑 в секрете всегда. 令牌会过期 请更新 它们。"
    whole = cut(article(markdown), Chunker(100))
    assert [whole.text(chunk) for chunk in whole.chunks] == [markdown.split("\n\n")[1]]
    assert [markdown[q.start : q.end] for q in whole.chunks[0].quotables] == [
        "Держите 🔑 в секрете всегда. 令牌会过期 请更新 它们。"
    ]


# --- the whole


def test_the_way_of_cutting_has_a_name_with_its_budget() -> None:
    assert Chunker(64).id != Chunker(65).id


def test_headings_alone_make_no_chunk() -> None:
    assert texts("# Tokens\n\n## Reuse\n\n<!-- to be written -->\n", 100) == []


@pytest.mark.parametrize(
    "hostile",
    [
        "a_b_" * 50_000,
        "*a " * 20_000,
        "> " * 30_000 + "x",
        "|a\n|-\n" + "|a\n" * 20_000,
        "```\n" * 10_000,
        "[" * 64_000,
    ],
    ids=lambda text: str(text)[:6],
)
def test_hostile_markdown_is_cut_to_its_end_within_the_budget(hostile: str, chunker: Chunker) -> None:
    whole = cut(article(hostile), chunker)
    covered = sum(len(whole.text(chunk).split()) for chunk in whole.chunks)
    assert covered >= len(hostile.split())
    assert max(tokens_of(whole, chunker)) <= 185
