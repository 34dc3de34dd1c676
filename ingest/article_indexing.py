"""Turns an item into everything that the index stores of it: parse, outline, chunk."""

from __future__ import annotations

from collections.abc import Callable

from indexes.types import Article, IndexedArticle
from ingest.chunking import Chunker
from ingest.errors import without_text
from ingest.structure import outline


def index_article(parse: Callable[[], Article], fingerprint: str, chunker: Chunker) -> IndexedArticle:
    """Raises ArticleRejected with the reason."""
    article = parse()
    parsed = outline(article.markdown, article.title)
    chunks = chunker.chunk(article, parsed)
    if not chunks:
        raise without_text("no text below its headings", article.audience)
    return IndexedArticle(article, parsed.headings, chunks, fingerprint)
