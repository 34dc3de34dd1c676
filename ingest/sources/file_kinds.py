"""Maps the endings of article files to parsers, and files to items."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import PurePath

from indexes.types import Article, Category
from ingest.formats.parsing import parse_html, parse_markdown, parse_notion
from ingest.formats.pdf_and_word import parse_docx, parse_pdf
from ingest.formats.product_exports import clean_confluence_name, clean_name, is_notion
from ingest.sources.items import SourceItem, fingerprint

_PARSERS: dict[str, Callable[[str, bytes, Category], Article]] = {
    ".md": parse_markdown,
    ".markdown": parse_markdown,
    ".html": parse_html,
    ".htm": parse_html,
    ".pdf": parse_pdf,
    ".docx": parse_docx,
}
ARTICLES = frozenset(_PARSERS)
# Bytes; larger files are parsed in a process that can be stopped. No input this small takes many seconds.
LARGE = 32 * 1024
_LARGE_BY_ENDING = {".html": 16 * 1024, ".htm": 16 * 1024, ".pdf": 0, ".docx": 0}


class Ids:
    """Article ids from paths, without the numbers that exports add, unless two files would share an id."""

    def __init__(self) -> None:
        self._taken: dict[str, PurePath] = {}

    def of(self, path: PurePath, raw: bytes = b"") -> str:
        """The id of a file, from its path below the root of its source and, where readable, its content."""
        bare = path.with_suffix("")
        id = self.of_folder(bare.with_name(clean_confluence_name(bare.name, raw)))
        return id if self._taken.setdefault(id, path) == path else bare.as_posix()

    @staticmethod
    def of_folder(path: PurePath) -> str:
        """The beginning of the ids of all articles in a folder."""
        return "/".join(clean_name(part) for part in path.parts)


def article_item(id: str, origin: str, path: PurePath, raw: bytes, category: Category, address: str = "") -> SourceItem:
    """The item for a file's content, still to be parsed; `address`: where the file is on the web."""
    ending = path.suffix.lower()
    parser = parse_notion if ending == ".md" and is_notion(path.stem) else _PARSERS[ending]
    costly = len(raw) > _LARGE_BY_ENDING.get(ending, LARGE)
    parse = partial(_parse, parser, id, raw, category, address)
    mark = fingerprint(raw, f"{ending} {parser.__name__} {address}", category)
    return SourceItem(id, origin, category, mark, parse, costly)


def _parse(
    parser: Callable[[str, bytes, Category], Article], id: str, raw: bytes, category: Category, address: str
) -> Article:
    article = parser(id, raw, category)
    return replace(article, source_url=article.source_url or address or None)
