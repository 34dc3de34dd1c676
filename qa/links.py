"""Builds the addresses of article pages; no other code knows their form."""

from __future__ import annotations

import posixpath
from urllib.parse import quote, unquote


class Links:
    """Builds addresses under `base` ("" gives absolute paths, "https://kb.example" full addresses)."""

    def __init__(self, base: str = "") -> None:
        self._base = base.rstrip("/")

    def article(self, article_id: str) -> str:
        return f"{self._base}/articles/{quote(article_id)}"

    def passage(self, article_id: str, start: int, end: int) -> str:
        """The article's page with `markdown[start:end]` highlighted and in view."""
        return f"{self.article(article_id)}?cite={start}-{end}#cited"


def linked_article(article_id: str, target: str) -> tuple[str, str] | None:
    """The (article id, fragment) that a relative Markdown link of an article points to; None for any other target."""
    path, _, fragment = target.partition("#")
    stem, ending = posixpath.splitext(unquote(path))
    if ending.lower() not in (".md", ".markdown", ".html") or "://" in target or path.startswith("/"):
        return None
    resolved = posixpath.normpath(posixpath.join(posixpath.dirname(article_id), stem))
    return None if resolved.startswith("..") else (resolved, fragment)
