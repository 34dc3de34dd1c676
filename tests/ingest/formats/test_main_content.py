"""The main content of pages, as the generators of documentation sites write them."""

from __future__ import annotations

import pytest

from benchmarks.data.pages import ARTICLES, FORMS
from benchmarks.extraction import footnote, score
from ingest.formats.main_content import extract, main_content, parse_page, title


@pytest.mark.parametrize("form", FORMS)
def test_an_article_is_kept_whole_and_nothing_of_the_site_around_it(form: str) -> None:
    for name, blocks in ARTICLES.items():
        found = score(footnote(FORMS[form](name, blocks)), blocks)
        assert (found.text, found.leaked) == (1.0, 0.0)
        assert found.form == 1.0 or form == "table layout"


@pytest.mark.parametrize("form", FORMS)
def test_the_title_is_without_the_name_of_the_site(form: str) -> None:
    for name, blocks in ARTICLES.items():
        page = parse_page(FORMS[form](name, blocks))
        heading = extract(main_content(page)).heading
        assert title(page, heading) == name


def markdown(page: str) -> str:
    return extract(main_content(parse_page(page))).markdown.strip()


def test_lines_of_code_that_are_elements_stay_lines() -> None:
    code = '<span class="token-line">retries:<br></span><span class="token-line">  attempts: 1<br></span>'
    page = f'<main><p>Set the number of attempts to one.</p><pre class="language-yaml"><code>{code}</code></pre></main>'
    assert markdown(page).endswith("```yaml\nretries:\n  attempts: 1\n```")


def test_a_note_that_is_an_aside_is_content_and_a_sidebar_is_not() -> None:
    note = '<aside class="starlight-aside" aria-label="Note"><p>Careful with keys.</p></aside>'
    page = f"<main><p>Keys are rotated every ninety days.</p>{note}<aside>Related pages</aside></main>"
    assert markdown(page) == "Keys are rotated every ninety days.\n\nCareful with keys."


def test_a_page_whose_text_is_spread_over_parts_is_taken_whole() -> None:
    parts = [f"<div><h2>Part {n}</h2><p>{'Words of this part. ' * 12}</p></div>" for n in range(6)]
    found = markdown(f"<body>{''.join(parts)}</body>")
    assert [f"## Part {n}" in found for n in range(6)] == [True] * 6


def test_a_short_page_is_taken_whole() -> None:
    assert markdown("<body><p>Short.</p><div>Also short.</div></body>") == "Short.\n\nAlso short."
