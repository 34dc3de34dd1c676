"""Main-content extraction compared: how much of an article is kept, and how much of the site around it leaks in.

    python -m benchmarks.extraction

Three articles in the page forms of eight kinds of sites, written for this comparison after the markup that these
generators produce. trafilatura is measured where it is installed: pip install trafilatura lxml_html_clean
"""

from __future__ import annotations

import html
import importlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from bs4 import BeautifulSoup
from markdownify import markdownify

from benchmarks.data.pages import ARTICLES, CHROME, FORMS, Block
from ingest.formats.main_content import extract, main_content, parse_page

Extractor: TypeAlias = Callable[[str], str]  # a page's HTML → Markdown


@dataclass(frozen=True)
class Score:
    """Shares: texts kept; headings, list items, table rows and code blocks kept in their form; chrome leaked."""

    text: float
    form: float
    leaked: float


def footnote(page: str) -> str:
    return extract(main_content(parse_page(page))).markdown


def body_without_chrome(page: str) -> str:
    """What a converter alone does: the whole body, without the elements that HTML itself marks as no content."""
    soup = BeautifulSoup(page, "lxml")
    for element in soup.select("script, style, nav, header, footer, aside, form, noscript, template, iframe, svg"):
        element.decompose()
    return str(markdownify(str(soup.body), heading_style="ATX", bullets="-"))


def trafilatura(page: str) -> str:
    module: Any = importlib.import_module("trafilatura")
    markdown = module.extract(
        page, output_format="markdown", include_tables=True, include_formatting=True, include_comments=False
    )
    return markdown or ""


def readability(page: str) -> str:
    module: Any = importlib.import_module("readability")
    return str(markdownify(module.Document(page).summary(), heading_style="ATX", bullets="-"))


EXTRACTORS: dict[str, Extractor] = {
    "Footnote: landmarks, else readability; then markdownify": footnote,
    "whole body, then markdownify": body_without_chrome,
    "trafilatura (Markdown)": trafilatura,
    "readability-lxml, then markdownify": readability,
}


def score(markdown: str, blocks: list[Block]) -> Score:
    plain = _squeezed(markdown)
    texts = [_squeezed(text) for block in blocks for text in block.texts]
    texts_kept = [text in plain for text in texts]
    forms = [form in markdown for block in blocks for form in _forms(block)]
    leaked = [_squeezed(text) in plain for text in CHROME]
    return Score(sum(texts_kept) / len(texts_kept), sum(forms) / len(forms), sum(leaked) / len(leaked))


def _forms(block: Block) -> Iterator[str]:
    """What a block must look like in Markdown."""
    if block.kind == "heading":
        yield f"## {block.texts[0]}\n"
    elif block.kind == "list":
        yield from (f"- {item}" for item in block.texts)
    elif block.kind == "table":
        columns = block.columns
        rows = [block.texts[start : start + columns] for start in range(0, len(block.texts), columns)]
        yield from (f"| {' | '.join(row)} |" for row in rows)
    elif block.kind == "code":
        yield "\n".join(block.texts) + "\n```"


def _squeezed(text: str) -> str:
    return "".join(character for character in html.unescape(text) if character.isalnum()).lower()


def main() -> None:
    print("| extractor | site | text kept | form kept | chrome leaked | ms a page |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, extractor in EXTRACTORS.items():
        total: list[Score] = []
        started = time.process_time()
        for form, render in FORMS.items():
            try:
                scores = [score(extractor(render(title, blocks)), blocks) for title, blocks in ARTICLES.items()]
            except ModuleNotFoundError as error:
                print(f"| {name} | not installed: {error.name} | | | | |")
                break
            total += scores
            print(_row(name, form, scores, ""))
        else:
            spent = (time.process_time() - started) / len(total) * 1000
            print(_row(name, "**all**", total, f"{spent:.0f}"))


def _row(name: str, form: str, scores: list[Score], spent: str) -> str:
    mean = [sum(getattr(s, field) for s in scores) / len(scores) for field in ("text", "form", "leaked")]
    return f"| {name} | {form} | {mean[0]:.2f} | {mean[1]:.2f} | {mean[2]:.2f} | {spent} |"


if __name__ == "__main__":
    main()
