"""Converts PDF and Word documents to Markdown, with packages of `pip install 'footnote[documents]'`."""

from __future__ import annotations

import importlib.util
import io
import logging
import re
import zipfile
from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

from indexes.types import Article, Category
from ingest.errors import ArticleRejected
from ingest.formats.main_content import parse_page
from ingest.formats.parsing import clean, fields_article, html_article

_PAGES = 3  # fewest pages for running heads and feet: lines that open or end more than half of the pages
_HYPHEN = re.compile(r"(?<=[a-z])[-\u00ad]\n(?=[a-z])")
_PARAGRAPH_END = re.compile(r"(?<=[.:!?])\n(?=[A-Z0-9•‣▪–*])|\n\s*\n|\n(?=[•‣▪]|\d{1,2}[.)] )")
_MARKUP = re.compile(r"^(?=#{1,6} |>|[-+] |```|~~~)", re.MULTILINE)


def parse_pdf(id: str, raw: bytes, category: Category) -> Article:
    """A PDF with a section for each page, so that citations name the page. Raises ArticleRejected with the reason."""
    require("pypdf", "PDF")
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(io.BytesIO(raw))
        if reader.is_encrypted and not reader.decrypt(""):
            raise ArticleRejected("the PDF is encrypted: save it without a password")
        texts = [clean(page.extract_text()) for page in reader.pages]
        fields = _metadata(reader)
    except PyPdfError as error:
        raise ArticleRejected(f"the PDF is damaged ({error}): save it again") from error
    pages = [_paragraphs(page) for page in _without_running_lines(texts)]
    body = "\n\n".join(f"## Page {number}\n\n{text}" for number, text in enumerate(pages, start=1) if text)
    if not body:
        raise ArticleRejected("no text in the PDF: pages that are pictures need text recognition (OCR) first")
    return fields_article(id, fields, body, category)


def parse_docx(id: str, raw: bytes, category: Category) -> Article:
    """A Word document. Raises ArticleRejected with the reason."""
    require("mammoth", "Word documents")
    import mammoth

    try:
        no_pictures = mammoth.images.img_element(lambda image: {})
        html = mammoth.convert_to_html(io.BytesIO(raw), convert_image=no_pictures).value
    except (zipfile.BadZipFile, KeyError) as error:
        raise ArticleRejected(f"not a Word document, or damaged ({error}): save it again as .docx") from error
    page = parse_page(clean(html))
    for picture in page.find_all("img"):
        picture.decompose()
    heading = page.find("h1")
    fields = {"title": " ".join(heading.get_text().split()) if heading else ""}
    return html_article(id, page, page, category, fields)


def require(package: str, what: str) -> None:
    """Raises ArticleRejected with what to install, unless the package is installed."""
    if importlib.util.find_spec(package) is None:
        raise ArticleRejected(f"reading {what} needs more packages: pip install 'footnote[documents]'")


def _metadata(reader: Any) -> dict[str, object]:
    """The document's metadata. An invalid date is no reason to reject the text."""
    metadata = reader.metadata
    title = str(metadata.title or "") if metadata else ""
    try:
        changed = metadata.modification_date if metadata else None
    except ValueError:
        changed = None
    day: date | None = changed.date() if changed else None
    return {"title": title if title.lower() != "untitled" else "", "updated": day}


def _without_running_lines(pages: Sequence[str]) -> list[str]:
    """The pages without heads and feet that repeat, apart from page numbers."""
    lines = [[line.strip() for line in page.split("\n") if line.strip()] for page in pages]
    edges = Counter(_shape(line) for page in lines for line in {*page[:1], *page[-1:]})
    running = {shape for shape, count in edges.items() if len(pages) >= _PAGES and count > len(pages) / 2}
    cleaned = []
    for page, page_lines in zip(pages, lines, strict=True):
        drop = {line for line in (*page_lines[:1], *page_lines[-1:]) if _shape(line) in running}
        cleaned.append("\n".join(line for line in page.split("\n") if line.strip() not in drop))
    return cleaned


def _shape(line: str) -> str:
    return re.sub(r"\d+", "0", line)


def _paragraphs(page: str) -> str:
    """The lines joined to paragraphs, with anything escaped that Markdown would interpret."""
    joined = _HYPHEN.sub("", "\n".join(line.strip() for line in page.split("\n")))
    paragraphs = (" ".join(part.split()) for part in _PARAGRAPH_END.split(joined))
    return "\n\n".join(_MARKUP.sub(r"\\", paragraph) for paragraph in paragraphs if paragraph)
