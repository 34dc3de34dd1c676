"""Every mark has its citation, every quotation is exactly its place."""

from __future__ import annotations

import pytest

from indexes.types import Article, QuotableKind
from qa.errors import CitingError
from qa.links import Links
from qa.types import Citation, Passage
from qa.writing.citing import Cited, check, cite
from qa.writing.statements import Quote, Statement, quoting

MARKDOWN = """A café keeps *hot* tokens. It sells [cups](cups.md) and `arr[1]` and [2] more.

The steps:

- Brew it.
- Drink it.

```bash
echo "$arr[3]"
```
"""


def passage(markdown: str = MARKDOWN) -> Passage:
    article = Article("cafe", "Café", "", (), False, 0, None, "Article", "Food", None, markdown)
    return Passage(1, article, ("Brewing",), "Café › Brewing", 0, len(markdown), (), 1.0, 0.9)


def quoted(text: str, kind: QuotableKind = "sentence") -> Statement:
    start = MARKDOWN.index(text)
    return quoting(Quote(kind, passage(), start, start + len(text)))


FIRST, SECOND = "A café keeps *hot* tokens.", "It sells [cups](cups.md) and `arr[1]` and [2] more."
STEPS, CODE = "- Brew it.\n- Drink it.", '```bash\necho "$arr[3]"\n```'


def test_a_citation_quotes_exactly_its_place_in_code_points() -> None:
    (citation,) = cite([quoted(FIRST)], Links()).citations
    assert MARKDOWN[citation.start : citation.end] == citation.quote == FIRST
    assert (citation.n, citation.article_id, citation.heading) == (1, "cafe", ("Brewing",))
    assert citation.url == f"/articles/cafe?cite={citation.start}-{citation.end}#cited"


def test_sentences_that_touch_share_one_citation_and_each_carries_its_mark() -> None:
    cited = cite([quoted(FIRST), quoted(SECOND)], Links())
    assert [c.quote for c in cited.citations] == [f"{FIRST} {SECOND}"]
    assert cited.text.count("[1]") == 3  # two marks, and the code span that only looks like one


def test_links_of_an_article_become_plain_text_and_its_brackets_are_no_marks() -> None:
    assert cite([quoted(SECOND)], Links()).text == "It sells cups and `arr[1]` and \\[2\\] more. [1]"


def test_a_list_stays_a_list_and_its_last_line_carries_the_mark() -> None:
    cited = cite([quoted("The steps:"), quoted(STEPS, "list")], Links())
    assert cited.text == "The steps: [1]\n\n- Brew it.\n- Drink it. [1]"


def test_a_code_block_stays_whole_and_its_mark_stands_after_it() -> None:
    assert cite([quoted(CODE, "code")], Links()).text == f"{CODE}\n\n[1]"


def test_quotations_that_do_not_touch_are_numbered_in_order() -> None:
    cited = cite([quoted(STEPS, "list"), quoted(FIRST)], Links())
    assert [(c.n, c.quote) for c in cited.citations] == [(1, STEPS), (2, FIRST)]


def test_a_citation_that_is_not_the_text_at_its_place_is_never_shown() -> None:
    wrong = Citation(1, "cafe", "Café", "", (), "something else", 0, 14)
    with pytest.raises(CitingError, match="citation 1 is not the text"):
        check(Cited("something else [1]", (), (wrong,)), [passage()])


def test_a_mark_without_a_citation_is_never_shown() -> None:
    with pytest.raises(CitingError, match="do not match"):
        check(Cited("Tea is hot. [1]", (), ()), [passage()])


def test_a_statement_that_rests_on_two_quotations_carries_both_marks() -> None:
    both = Statement(
        "sentence", "Tokens are hot, and cups are sold.", (*quoted(FIRST).quotes, *quoted(CODE, "code").quotes)
    )
    cited = cite([both], Links())
    assert cited.text == "Tokens are hot, and cups are sold. [1][2]"
    assert cited.segments[0].marks == (1, 2)


def test_a_quotation_cited_before_keeps_its_number() -> None:
    cited = cite([quoted(FIRST), quoted(CODE, "code"), quoted(FIRST)], Links())
    assert [citation.n for citation in cited.citations] == [1, 2]
    assert cited.text.endswith("[1]")
