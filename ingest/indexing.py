"""One item to all that the index holds of it: parse, outline, chunk."""

from __future__ import annotations

from collections.abc import Callable

from indexes.types import Article, IndexedArticle
from ingest.chunking import Chunker
from ingest.errors import ArticleRejected
from ingest.structure import outline


def index_article(parse: Callable[[], Article], fingerprint: str, chunker: Chunker) -> IndexedArticle:
    """Raises ArticleRejected with the reason."""
    article = parse()
    parsed = outline(article.markdown, article.title)
    chunks = chunker.chunk(article, parsed)
    if not chunks:
        raise ArticleRejected("no text below its headings")
    return IndexedArticle(article, parsed.headings, chunks, fingerprint)
