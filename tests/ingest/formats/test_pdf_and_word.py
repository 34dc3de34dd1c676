"""PDF and Word documents, made here by the libraries that people make them with."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import docx
import pypdf
import pytest
from reportlab.lib.pagesizes import A5
from reportlab.pdfgen.canvas import Canvas

from indexes.types import Category
from ingest.errors import ArticleRejected
from ingest.formats.pdf_and_word import parse_docx, parse_pdf, require
from ingest.sources.folders import read_source
from ingest.sources.items import Ignored, SourceItem

KB = Category("KB")


def pdf(pages: Sequence[Sequence[str]], title: str = "") -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A5)
    canvas.setTitle(title)
    for lines in pages:
        text = canvas.beginText(40, 500)
        for line in lines:
            text.textLine(line)
        canvas.drawText(text)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def test_a_pdf_has_a_section_a_page_with_whole_paragraphs() -> None:
    raw = pdf(
        [["Keys are rotated every", "ninety days by a sched-", "uled job.", "Nobody waits."], ["Second page."]], "Keys"
    )
    article = parse_pdf("keys", raw, KB)
    assert article.title == "Keys"
    assert article.markdown == (
        "## Page 1\n\nKeys are rotated every ninety days by a scheduled job.\n\nNobody waits.\n\n"
        "## Page 2\n\nSecond page."
    )


def test_heads_and_feet_that_repeat_are_left_out() -> None:
    raw = pdf([["Acme Handbook", f"Text of chapter {n}.", f"Page {n} of 3"] for n in (1, 2, 3)])
    markdown = parse_pdf("a", raw, KB).markdown
    assert "Acme Handbook" not in markdown
    assert "of 3" not in markdown
    assert "Text of chapter 2." in markdown


def test_what_looks_like_markdown_in_a_pdf_is_text() -> None:
    assert parse_pdf("a", pdf([["# not a heading, but a comment"]]), KB).markdown.endswith(
        "\\# not a heading, but a comment"
    )


def test_a_pdf_without_text_says_what_it_needs() -> None:
    with pytest.raises(ArticleRejected, match=r"text recognition \(OCR\)"):
        parse_pdf("scan", pdf([[]]), KB)


def test_an_encrypted_pdf_is_refused() -> None:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf([["Secret."]])))
    writer.encrypt("open sesame", algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    with pytest.raises(ArticleRejected, match="encrypted"):
        parse_pdf("secret", buffer.getvalue(), KB)


def test_damaged_documents_are_refused_with_the_reason() -> None:
    with pytest.raises(ArticleRejected, match="the PDF is damaged"):
        parse_pdf("torn", pdf([["Text."]])[:60], KB)
    with pytest.raises(ArticleRejected, match="not a Word document, or damaged"):
        parse_docx("torn", b"PK torn", KB)


def test_a_word_document_keeps_headings_lists_and_tables() -> None:
    document = docx.Document()
    document.add_heading("Restoring backups", 1)
    document.add_paragraph("Restore a backup every week.")
    document.add_heading("Steps", 2)
    document.add_paragraph("Stop the writer.", style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(
        (cell for row in table.rows for cell in row.cells), ("Kind", "Days", "full", "7"), strict=True
    ):
        cell.text = text
    buffer = io.BytesIO()
    document.save(buffer)
    article = parse_docx("restore", buffer.getvalue(), KB)
    assert article.title == "Restoring backups"
    assert article.markdown.startswith(
        "# Restoring backups\n\nRestore a backup every week.\n\n## Steps\n\n- Stop the writer."
    )
    assert "| full | 7 |" in article.markdown


def test_a_converter_that_is_not_installed_is_named_with_what_to_run() -> None:
    with pytest.raises(ArticleRejected, match=r"reading PDF needs more packages: pip install 'footnote\[documents\]'"):
        require("no_such_package", "PDF")


def test_documents_of_a_folder_are_read_where_they_can_be_stopped(tmp_path: Path) -> None:
    (tmp_path / "keys.PDF").write_bytes(pdf([["Keys rotate."]]))
    (tmp_path / "torn.docx").write_bytes(b"PK torn")
    found = [item for item in read_source(tmp_path, Ignored()) if isinstance(item, SourceItem)]
    assert [(item.id, item.isolated) for item in found] == [("keys", True), ("torn", True)]
