"""PDF and Word documents as Markdown, through converters that `pip install 'footnote[documents]'` brings."""

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

_PAGES = 3  # a line is a running head or foot if it opens or ends more than half of at least so many pages
_HYPHEN = re.compile(r"(?<=[a-z])[-\u00ad]\n(?=[a-z])")
_PARAGRAPH_END = re.compile(r"(?<=[.:!?])\n(?=[A-Z0-9•‣▪–*])|\n\s*\n|\n(?=[•‣▪]|\d{1,2}[.)] )")
_MARKUP = re.compile(r"^(?=#{1,6} |>|[-+] |```|~~~)", re.MULTILINE)


def parse_pdf(id: str, raw: bytes, category: Category) -> Article:
    """A PDF as a section a page, so that a citation names its page. Raises ArticleRejected with the reason."""
    require("pypdf", "PDF")
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(io.BytesIO(raw))
        if reader.is_encrypted and not reader.decrypt(""):
            raise ArticleRejected("the PDF is encrypted: save it without a password")
        texts = [clean(page.extract_text()) for page in reader.pages]
        fields = _said(reader)
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
    """Raises ArticleRejected, saying what to install, unless there is such a package."""
    if importlib.util.find_spec(package) is None:
        raise ArticleRejected(f"reading {what} needs more packages: pip install 'footnote[documents]'")


def _said(reader: Any) -> dict[str, object]:
    """What the document says of itself. A date that is none is no reason to lose the text."""
    said = reader.metadata
    title = str(said.title or "") if said else ""
    try:
        changed = said.modification_date if said else None
    except ValueError:
        changed = None
    day: date | None = changed.date() if changed else None
    return {"title": title if title.lower() != "untitled" else "", "updated": day}


def _without_running_lines(pages: Sequence[str]) -> list[str]:
    """Pages without the heads and feet that repeat on them, page numbers aside."""
    lines = [[line.strip() for line in page.split("\n") if line.strip()] for page in pages]
    edges = Counter(_shape(line) for page in lines for line in {*page[:1], *page[-1:]})
    running = {shape for shape, count in edges.items() if len(pages) >= _PAGES and count > len(pages) / 2}
    kept = []
    for page, found in zip(pages, lines, strict=True):
        drop = {line for line in (*found[:1], *found[-1:]) if _shape(line) in running}
        kept.append("\n".join(line for line in page.split("\n") if line.strip() not in drop))
    return kept


def _shape(line: str) -> str:
    return re.sub(r"\d+", "0", line)


def _paragraphs(page: str) -> str:
    """Lines joined to paragraphs; nothing in them is Markdown."""
    joined = _HYPHEN.sub("", "\n".join(line.strip() for line in page.split("\n")))
    paragraphs = (" ".join(part.split()) for part in _PARAGRAPH_END.split(joined))
    return "\n\n".join(_MARKUP.sub(r"\\", paragraph) for paragraph in paragraphs if paragraph)
