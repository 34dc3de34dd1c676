"""Markdown to safe HTML, with exactly the cited passage marked."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import unescape
from itertools import pairwise

import pytest
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt

from indexes.snapshots.snapshot import Snapshot
from indexes.types import Article, Heading, IndexedArticle, Quotable
from ingest.structure import outline
from qa.links import Links
from qa.types import Answer, AnswerKind, Citation, Segment
from qa.types import Span as AnswerSpan
from web.rendering import answers, articles
from web.rendering.source_map import Span

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
MARKS = re.compile(r'<mark(?: id="cited")? class="cited">|</mark>|<span id="cited"></span>')


def an_article(markdown: str, title: str = "A title", source_url: str | None = None) -> Article:
    return Article("guides/one", title, "", (), False, 0, None, "Article", "", source_url, markdown)


def render(article: Article, cite: Span | None = None) -> BeautifulSoup:
    headings = outline(article.markdown, article.title).headings
    html = articles.article(article, headings, {"guides/two", "three"}.__contains__, Links(), cite)
    return BeautifulSoup(html, "html.parser")


def body(markdown: str) -> BeautifulSoup:
    return render(an_article(markdown))


def cited(markdown: str, passage: str) -> BeautifulSoup:
    start = markdown.index(passage)
    return render(an_article(markdown), (start, start + len(passage)))


def marks(page: BeautifulSoup) -> list[str]:
    return [mark.get_text() for mark in page.select("mark.cited")]


def squeezed(text: str) -> str:
    return "".join(text.split())


def bare(html: str) -> str:
    """The text of HTML without white space; thousands of pages are too many to parse."""
    return squeezed(unescape(re.sub(r"<[^>]+>", "", html)))


# The cited passage


def test_a_cited_sentence_in_the_middle_of_a_paragraph_is_marked_exactly() -> None:
    page = cited("One is first. Two is second. Three is third.", "Two is second.")
    assert marks(page) == ["Two is second."]
    assert page.p
    assert page.p.get_text() == "One is first. Two is second. Three is third."


def test_the_first_mark_alone_is_where_the_link_leads() -> None:
    page = cited("A *stressed* word.", "A *stressed* word.")
    assert [mark.get("id") for mark in page.select("mark")] == ["cited", None, None]


def test_a_cited_sentence_keeps_its_bold_words_code_and_links() -> None:
    passage = '**"Never"** call `a_b()` twice, see [two](two.md).'
    page = cited(f"Before it. {passage} After it.", passage)
    assert "".join(marks(page)) == '"Never" call a_b() twice, see two.'
    assert page.strong
    assert page.strong.get_text() == '"Never"'
    assert page.code
    assert page.code.get_text() == "a_b()"
    assert page.a
    assert page.a["href"] == "/articles/guides/two"


def test_a_passage_that_begins_at_a_stress_mark_does_not_undo_it() -> None:
    page = cited("First one. _Second_ one.", "_Second_ one.")
    assert page.em
    assert page.em.get_text() == "Second"
    assert "".join(marks(page)) == "Second one."


def test_a_passage_may_cut_through_stressed_words() -> None:
    page = cited("It is **very, very** slow.", "very** slow")
    assert "".join(marks(page)) == "very slow"
    assert page.strong
    assert page.strong.get_text() == "very, very"


def test_a_cited_sentence_that_spans_two_lines_of_a_quotation_is_one_sentence() -> None:
    markdown = "> First part. The second one\n> goes on here. Third part."
    page = cited(markdown, "The second one\n> goes on here.")
    assert " ".join("".join(marks(page)).split()) == "The second one goes on here."
    assert len(page.select("blockquote")) == 1


def test_a_cited_list_item_is_marked_without_its_neighbours() -> None:
    page = cited("1. Open it.\n2. Read `it`.\n   Twice.\n3. Close it.", "2. Read `it`.\n   Twice.")
    assert squeezed("".join(marks(page))) == "Readit.Twice."
    assert [squeezed(item.get_text()) for item in page.select("li")] == ["Openit.", "Readit.Twice.", "Closeit."]


def test_a_cited_table_is_marked_cell_by_cell() -> None:
    table = "| a | b |\n| --- | ---: |\n| `x \\| y` | b |\n| b |  |"
    page = cited(f"Before.\n\n{table}\n\nAfter.", table)
    assert marks(page) == ["a", "b", "x | y", "b", "b"]
    assert [cell.get_text() for cell in page.select("td.right")] == ["b", ""]


def test_one_cited_row_of_a_table_is_marked_alone() -> None:
    assert marks(cited("| a | b |\n| - | - |\n| c | c |\n| d | c |", "| d | c |")) == ["d", "c"]


def test_a_cited_code_block_is_marked_inside_its_box() -> None:
    page = cited("Run it:\n\n```sh\na < b\nc\n```\n\nDone.", "```sh\na < b\nc\n```")
    assert marks(page) == ["a < b\nc\n"]
    assert page.pre
    assert page.pre.get_text() == "a < b\nc\n"


def test_cited_lines_of_an_indented_code_block_are_marked_alone() -> None:
    assert marks(cited("- Item:\n\n      one\n      two\n      three\n", "two")) == ["two"]


def test_a_passage_inside_one_code_span_marks_its_paragraph_rather_than_nothing() -> None:
    assert "".join(marks(cited("Call `some_function_name` now.", "function"))) == "Call some_function_name now."


def test_a_passage_without_text_of_its_own_still_has_a_place_to_jump_to() -> None:
    page = cited("One.\n\n<div>Two</div>\n\nThree.", "<div>Two</div>")
    assert marks(page) == []
    assert page.select_one("span#cited")


def test_every_passage_that_an_answer_can_quote_is_marked_exactly(kb_snapshot: Snapshot) -> None:
    """Each in its section: the whole article is rendered below, for a sample."""
    for entry in _kb(kb_snapshot):
        for start, end in _sections(entry):
            section = replace(entry.article, markdown=entry.article.markdown[start:end])
            for quotable in _quotables(entry):
                if start <= quotable.start < end:
                    _require_exact_marks(section, (), quotable, (quotable.start - start, quotable.end - start))


def test_the_first_and_last_passage_of_each_kind_are_marked_exactly_in_the_whole_article(kb_snapshot: Snapshot) -> None:
    for entry in _kb(kb_snapshot):
        by_place = sorted(_quotables(entry), key=lambda quotable: quotable.start)
        last = {quotable.kind: quotable for quotable in by_place}
        first = {quotable.kind: quotable for quotable in reversed(by_place)}
        for quotable in {*first.values(), *last.values()}:
            _require_exact_marks(entry.article, entry.headings, quotable, (quotable.start, quotable.end))


def test_marking_any_passage_changes_nothing_else_of_the_page(kb_snapshot: Snapshot) -> None:
    chance = random.Random(7)
    for entry in _kb(kb_snapshot)[::3]:
        plain = _article_html(entry)
        for _ in range(10):
            start, end = sorted(chance.sample(range(len(entry.article.markdown) + 1), 2))
            assert MARKS.sub("", _article_html(entry, (start, end))) == plain, (entry.article.id, start, end)


def _kb(snapshot: Snapshot) -> list[IndexedArticle]:
    entries = [snapshot.articles.indexed(id) for id in snapshot.articles.ids()]
    return [entry for entry in entries if entry is not None]


def _quotables(entry: IndexedArticle) -> set[Quotable]:
    return {quotable for chunk in entry.chunks for quotable in chunk.quotables}


def _sections(entry: IndexedArticle) -> Iterator[Span]:
    """Where each section of an article stands, its heading included. A section is parsed alike without the others."""
    return pairwise([0, *(heading.start for heading in entry.headings), len(entry.article.markdown)])


def _article_html(entry: IndexedArticle, cite: Span | None = None) -> str:
    return str(articles.article(entry.article, entry.headings, lambda id: True, Links(), cite))


def _require_exact_marks(article: Article, headings: Sequence[Heading], quotable: Quotable, span: Span) -> None:
    passage = article.markdown[slice(*span)]
    html = articles.article(article, headings, lambda id: True, Links(), span)
    marked = "".join(re.findall(r'<mark[^>]* class="cited">(.*?)</mark>', html, re.DOTALL))
    expected = MARKDOWN.renderInline(passage) if quotable.kind == "sentence" else MARKDOWN.render(passage)
    assert bare(marked) == bare(expected), passage
    assert html.count('id="cited"') == 1


# Structure


def test_headings_carry_the_stored_anchors_and_a_link_to_themselves() -> None:
    page = body("## Same\n\n## Same\n\nSetext\n------\n\n### With `code` {#own}\n\n> ## Quoted")
    assert [heading.get("id") for heading in page.select("h2, h3")] == ["same", "same-1", "setext", "own", None]
    assert [link["href"] for link in page.select("a.anchor")] == ["#same", "#same-1", "#setext", "#own"]
    assert page.h3
    assert page.h3.get_text() == "With code"


def test_a_heading_that_repeats_the_title_is_not_shown_twice() -> None:
    page = render(an_article("# A Title\n\nText.\n\n## Next", title="A title"))
    assert [heading.get_text() for heading in page.select("h1, h2")] == ["Next"]
    assert page.select_one("span#a-title")


def test_other_top_headings_go_below_the_title_of_the_page() -> None:
    page = render(an_article("# Part\n\n## Detail\n\n###### Deep"))
    assert [heading.name for heading in page.select("h1, h2, h3, h6")] == ["h2", "h3", "h6"]


def test_tables_and_code_scroll_in_boxes_with_names_of_their_own() -> None:
    page = body("| a |\n| - |\n| b |\n\n| c |\n| - |\n| d |\n\n```python\nx\n```")
    boxes = page.select("div.scroll")
    assert [box["aria-label"] for box in boxes] == ["Table 1", "Table 2", "Code 1, python"]
    assert all(box["tabindex"] == "0" and box["role"] == "region" for box in boxes)
    assert [label.get_text() for label in page.select(".language")] == ["python"]


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ("two.md", "/articles/guides/two"),
        ("./two.md#part", "/articles/guides/two#part"),
        ("../three.markdown", "/articles/three"),
        ("#part", "#part"),
        ("/browse", "/browse"),
        ("https://example.com/a", "https://example.com/a"),
        ("mailto:a@example.com", "mailto:a@example.com"),
    ],
)
@pytest.mark.parametrize("form", ["[text]({})", '<a href="{}">text</a>', '<div><a href="{}">text</a></div>'])
def test_a_link_leads_to_the_page_of_what_it_names(target: str, address: str, form: str) -> None:
    link = body(f"A {form.format(target)}." if form[:2] != "<d" else form.format(target)).a
    assert link
    assert link["href"] == address
    assert link["rel"] == ["noopener", "noreferrer"]


@pytest.mark.parametrize("target", ["gone.md", "../../etc/passwd.md", "picture.png", "//example.com", ""])
def test_a_link_that_leads_nowhere_is_plain_text(target: str) -> None:
    page = body(f"A [text]({target}) here.")
    assert page.a is None
    assert page.get_text().strip() == "A text here."


def test_a_relative_link_of_an_imported_article_leads_to_where_it_came_from() -> None:
    page = render(an_article("[text](other/page)", source_url="https://example.com/docs/this"))
    assert page.a
    assert page.a["href"] == "https://example.com/docs/other/page"


# Safety


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "Text <script>alert(1)</script>",
        "<div><script>alert(1)</script></div>",
        '<img src="x" onerror="alert(1)">',
        "![picture](https://example.com/track.png)",
        "[text](javascript:alert(1))",
        '<a href="javascript:alert(1)">text</a>',
        '<a href="&#106;avascript:alert(1)">text</a>',
        '<div><a href=" javascript:alert(1)">text</a></div>',
        '<p onclick="alert(1)" style="position:fixed">text</p>',
        "<style>body{display:none}</style>",
        '<iframe src="https://example.com"></iframe>',
        "<svg><script>alert(1)</script></svg>",
        '<svg onload="alert(1)">',
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
        '<form action="https://example.com"><input name="q"><button>Go</button></form>',
        '<b id="cited" class="cited" role="alert" tabindex="5" aria-label="x">text</b>',
        '<div id="cited" class="skip">text</div>',
        "<base href='https://example.com'>",
        '<meta http-equiv="refresh" content="0;url=https://example.com">',
        "<object data='x'></object><embed src='x'>",
    ],
)
def test_nothing_of_an_article_runs_loads_or_lays_out_anything(hostile: str) -> None:
    page = body(f"{hostile}\n\nAfter it.")
    forbidden = "script, style, img, iframe, svg, math, form, input, button, base, meta, object, embed, [src], [style]"
    assert page.select(forbidden) == []
    for element in page.find_all(True):
        assert not {"id", "class", "role", "tabindex", "aria-label"} & set(element.attrs)
        assert not any(name.startswith("on") for name in element.attrs)
        assert str(element.get("href", "#")).startswith("#")
    assert "After it." in page.get_text()


def test_raw_html_of_known_tags_stays() -> None:
    page = body("Press <kbd>Esc</kbd>, H<sub>2</sub>O.<br>Next\n\n<table><tr><td>cell</td></tr></table>")
    assert [element.name for element in page.select("kbd, sub, br, td")] == ["kbd", "sub", "br", "td"]


def test_an_unclosed_tag_ends_with_its_paragraph() -> None:
    page = body("One <b>bold *and* more.\n\nTwo.\n\n<div><i>Three\n\nFour.")
    assert page.select("b") == []
    assert [paragraph.get_text() for paragraph in page.select("p")][:2] == ["One bold and more.", "Two."]
    assert page.get_text().rstrip().endswith("Four.")
    assert page.select("p")[-1].find_parent("i") is None


def test_an_image_is_shown_as_the_words_for_it() -> None:
    assert body("See ![the *big* picture](a.png).").get_text().strip() == "See the big picture."


@pytest.mark.parametrize(
    "hostile",
    [
        "a_b_" * 40_000,
        "![" * 70_000,
        ("![" * 4_000 + "\n\n") * 18,
        "[a](" * 35_000,
        "".join(f'<b title="{i}">' for i in range(900)) + "\n\n" + "a\n\n" * 20_000,
        "<div>" + "".join(f'<b title="{i}">' for i in range(600)) + "<p>a" * 2_000,
        "<div>" * 3_500,
        "<!--a " * 20_000,
        "# {#a" * 25_000,
        "> " * 70_000,
        "| a " * 30_000 + "\n" + "|-" * 30_000 + "\n" + "| a " * 30_000,
    ],
    ids=lambda text: str(text)[:12],
)
def test_hostile_markdown_does_not_hang_a_page(hostile: str) -> None:
    started = time.perf_counter()
    html = articles.article(an_article(hostile), (), lambda id: False, Links(), (1, 5))
    assert time.perf_counter() - started < 10
    assert len(html) < 8_000_000


def test_a_giant_article_is_shown_as_its_source_with_the_passage_marked() -> None:
    markdown = "word <b>*here*</b> " * 10_000
    page = render(an_article(markdown), (5, 18))
    assert page.pre
    assert page.pre.get_text() == markdown
    assert marks(page) == ["<b>*here*</b>"]


# Answers


def an_answer(*segments: Segment) -> Answer:
    """Segments with the same mark follow each other in their article."""
    citations = tuple(
        Citation(n, f"a{n}", f"Title “{n}”", f"/articles/a{n}?cite=0-3#cited", ("Part",), quote, 0, len(quote))
        for n in sorted({n for segment in segments for n in segment.marks})
        for quote in ["\n".join(segment.text for segment in segments if n in segment.marks)]
    )
    return Answer(
        "id", "q", "q", AnswerKind.ANSWERED, 0.9, "", "extractive", segments, citations, (), (), (), "000001", 1.0
    )


def answered(*segments: Segment) -> BeautifulSoup:
    return BeautifulSoup(answers.answer(an_answer(*segments)), "html.parser")


def test_an_excerpt_stands_under_its_place_with_its_footnote_after_it() -> None:
    page = answered(
        Segment("sentence", "One `a`.", (1,)),
        Segment("sentence", "Two **b**.", (1,)),
        Segment("sentence", "Three.", (2,)),
    )
    assert [" ".join(p.get_text().split()) for p in page.select("p")] == [
        "Title “1” › Part",
        "One a. Two b.[1]",
        "Title “2” › Part",
        "Three.[2]",
    ]
    assert page.select(".place a")[0]["href"] == "/articles/a1?cite=0-3#cited"
    chip = page.select("a.cite")[0]
    assert chip["href"] == "/articles/a1?cite=0-3#cited"
    assert chip["title"] == "Title “1” › Part"


def test_blocks_are_followed_by_their_footnote() -> None:
    page = answered(
        Segment("list", "1. a", (1,)),
        Segment("list", "2. b", (1,)),
        Segment("code", "```sh\n# x [1]\n```", (2,)),
        Segment("table", "| a |\n| - |\n| b |", (3,)),
    )
    assert [len(page.select(tag)) for tag in ("ol", "li", "pre", "table")] == [1, 2, 1, 1]
    assert [chip.get_text() for chip in page.select("p.after a.cite")] == ["[1]", "[2]", "[3]"]
    assert page.pre
    assert page.pre.get_text() == "# x [1]\n"


# The words that answer


def quoted(markdown: str, quote: str, *key: str) -> BeautifulSoup:
    """A quotation of an article on its own, with the words of `key` as those that answer."""
    start = markdown.index(quote)
    spans = [(at, at + len(words)) for words in key for at in [markdown.index(words, start)]]
    key_spans = tuple(AnswerSpan(*span) for span in spans)
    citation = Citation(1, "guides/one", "A title", "/a", (), quote, start, start + len(quote), key_spans)
    return BeautifulSoup(answers.quotation(citation, an_article(markdown)), "html.parser")


def keys(page: BeautifulSoup) -> list[str]:
    return [" ".join(mark.get_text().split()) for mark in page.select("mark.key")]


def test_several_sentences_of_a_quotation_may_answer() -> None:
    text = "One is first. Two is **second**. Three is third. Four is fourth."
    page = quoted(text, text, "One is first.", "Three is third. Four")
    assert keys(page) == ["One is first.", "Three is third. Four"]
    assert page.get_text().strip() == "One is first. Two is second. Three is third. Four is fourth."
    assert page.select("[id]") == []


def test_words_that_answer_may_cut_through_bold_text_and_code() -> None:
    page = quoted("Say **very, very** `often` no.", "Say **very, very** `often` no.", "very** `often`")
    assert "".join(keys(page)) == "very" + "often"
    assert [page.strong.get_text() if page.strong else "", page.code.get_text() if page.code else ""] == [
        "very, very",
        "often",
    ]


def test_a_part_of_a_list_item_is_marked_alone() -> None:
    text = "- Open it. Then read\n  `it` twice.\n- Close it."
    page = quoted(text, text, "Then read\n  `it` twice.")
    assert " ".join(keys(page)) == "Then read it twice."
    assert [" ".join(item.get_text().split()) for item in page.select("li")] == [
        "Open it. Then read it twice.",
        "Close it.",
    ]


def test_an_answer_in_a_table_is_marked_in_its_cells() -> None:
    table = "| a | b |\n| - | - |\n| 503 | Yes |\n| 400 | No |"
    page = quoted(f"Before.\n\n{table}\n", table, "| 400 | No |")
    assert keys(page) == ["400", "No"]
    assert len(page.select("td")) == 4


def test_an_answer_that_is_a_code_block_is_marked_inside_its_box() -> None:
    code = "```bash\nkubectl rollout undo\n```"
    page = quoted(f"Run this:\n\n{code}\n", f"Run this:\n\n{code}", code)
    assert "".join(keys(page)) == "kubectl rollout undo"
    assert page.select(".code pre mark.key")


def test_a_quotation_from_within_a_list_or_block_quotation_loses_their_indent() -> None:
    nested = "1. Do:\n   - first\n   - second\n     `x`\n   - third\n"
    page = quoted(nested, "- first\n   - second\n     `x`\n   - third", "second\n     `x`")
    assert [len(page.select(tag)) for tag in ("ul", "li", "pre")] == [1, 3, 0]
    assert "".join(keys(page)).split() == ["second", "x"] or keys(page) == ["second x"]
    block = quoted(
        "> First part. The second\n> goes on.\n>\n> Third.",
        "First part. The second\n> goes on.",
        "The second\n> goes on.",
    )
    assert block.get_text().split() == "First part. The second goes on.".split()
    assert " ".join(keys(block)) == "The second goes on."


def test_no_link_of_an_article_leads_out_of_a_quotation() -> None:
    page = quoted("See [two](two.md) and https://x.example <https://y.example>.", "See [two](two.md) and")
    assert page.select("a") == []
    assert "See two and" in page.get_text()


def test_the_words_of_a_written_sentence_are_shown_even_if_the_quotation_has_others() -> None:
    (citation,) = an_answer(Segment("sentence", "Quoted.", (1,))).citations
    written = replace(
        an_answer(Segment("sentence", "Reworded.", (1,)), Segment("sentence", "Once more.", (1,))),
        writer="llm",
        citations=(replace(citation, key=(AnswerSpan(0, 7),)),),
    )
    page = BeautifulSoup(answers.answer(written), "html.parser")
    assert [p.get_text() for p in page.select("p")] == ["Reworded.[1] Once more.[1]"]
    assert keys(page) == []


def test_an_excerpt_of_two_paragraphs_stays_two() -> None:
    quote = "One. Two.\n\nThree."
    cited = Citation(1, "a", "T", "/articles/a?cite=0-3#cited", (), quote, 0, len(quote), (AnswerSpan(5, 17),))
    sentences = tuple(Segment("sentence", text, (1,)) for text in ("One.", "Two.", "Three."))
    page = BeautifulSoup(answers.answer(replace(an_answer(), segments=sentences, citations=(cited,))), "html.parser")
    assert [p.get_text() for p in page.select("p:not(.place)")] == ["One. Two.", "Three.[1]"]
    assert keys(page) == ["Two.", "Three."]


def test_every_quotable_of_the_bundled_kb_is_shown_with_exactly_its_words_marked(kb_snapshot: Snapshot) -> None:
    for entry in _kb(kb_snapshot)[::5]:
        for span in sorted(_quotables(entry), key=lambda span: span.start)[::3]:
            quote = entry.article.markdown[span.start : span.end]
            key = (AnswerSpan(span.start, span.end),)
            citation = Citation(1, entry.article.id, "T", "/a", (), quote, span.start, span.end, key)
            html = answers.quotation(citation, entry.article)
            text = "".join(re.findall(r'<mark class="key">(.*?)</mark>', html, re.DOTALL))
            assert bare(text) == bare(re.sub(r'<span class="language">.*?</span>', "", html)), quote


def test_an_answer_can_no_more_carry_a_script_than_an_article() -> None:
    page = answered(Segment("sentence", 'See <script>x</script> <b onclick="x">this</b>.', (1,)))
    assert page.select("script, [onclick]") == []


def test_plain_words_of_a_quotation_are_cut_at_a_word() -> None:
    assert answers.plain_text("A **bold** `word`\nand [more](x.md).", 100) == "A bold word and more."
    assert answers.plain_text("one two three", 9) == "one two …"


# Colours of code


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("python", 'def f(x):\n    return "a" + x  # why\n'),
        ("yaml", "a: 'b'\n"),
        ("sql", "SELECT 1 FROM a\n"),
        ("http", "GET / HTTP/1.1\nHost: a\n"),
        ("diff", "-a\n+b\n"),
        ("bash", 'echo "$HOME" | wc -l\n'),
    ],
)
def test_code_is_coloured_without_touching_a_character(language: str, code: str) -> None:
    page = body(f"```{language}\n{code}```")
    assert page.pre
    assert page.pre.get_text() == code
    assert page.select("pre span[class]")


@pytest.mark.parametrize("language", ["", "text", "klingon", "c/../../etc", "<b>"])
def test_code_of_no_known_language_stays_plain(language: str) -> None:
    page = body(f"```{language}\nif a < b: pass\n```")
    assert page.select("pre span") == []
    assert page.pre
    assert page.pre.get_text() == "if a < b: pass\n"


def test_a_passage_that_cuts_through_a_coloured_piece_is_marked_exactly() -> None:
    page = cited('```python\nx = "one two three"\ny = 1\n```', 'two three"\ny')
    assert "".join(marks(page)) == 'two three"\ny'
    assert len(page.select("#cited")) == 1
    assert [piece.get_text() for piece in page.select("pre span.s")] == ['"one two three"\n']


def test_more_code_than_a_page_may_colour_stays_plain() -> None:
    page = body("\n\n".join(["```python\n" + "x = 1\n" * 400 + "```"] * 8))
    coloured = [bool(block.select("span")) for block in page.select("pre")]
    assert coloured == [True] * 6 + [False] * 2
