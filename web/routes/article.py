"""What does one article say, and where in it is the passage that an answer cited?"""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from indexes.snapshot import Snapshot
from indexes.types import Article, Heading
from qa.related import related
from web import pages, rendering
from web.highlighting import Span
from web.problems import NoSuchArticle
from web.routes.articles import find_article
from web.services import Services, Use

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

_RELATED = 5
_WORDS_A_MINUTE = 200
_LONGEST_CONTENTS = 100


@router.get("/articles/{article_id:path}")
def article(use: Use, article_id: str, cite: str = "") -> Response:
    """An article, with the passage `cite` (as START-END) marked; as Markdown where the address ends in `.md`."""
    snapshot = use.store.current()
    found = snapshot.articles.article(article_id)
    if found is not None:
        return _article(use, snapshot, found, cite)
    source = snapshot.articles.article(article_id.removesuffix(".md"))
    if source is not None:
        return PlainTextResponse(source.markdown, media_type="text/markdown; charset=utf-8")
    return _missing(use, snapshot, article_id)


def _article(use: Services, snapshot: Snapshot, article: Article, cite: str) -> Response:
    table = snapshot.articles
    headings, passage = table.headings(article.id), _cited(cite, article.markdown)
    body = rendering.article(article, headings, lambda id: table.article(id) is not None, use.links, passage)
    return pages.page(
        "article.html", snapshot, nav="", article=article, body=body, passage=passage,
        url=use.links.article(article.id), contents=_contents(article, headings),
        minutes=max(1, round(len(article.markdown.split()) / _WORDS_A_MINUTE)),
        related=related(snapshot, article, _RELATED, use.links), category=pages.category(snapshot),
    )  # fmt: skip


def _cited(cite: str, markdown: str) -> Span | None:
    """The passage that START-END names, if the article has one there."""
    start, _, end = cite.partition("-")
    if not all(part.isascii() and part.isdecimal() and len(part) < 10 for part in (start, end)):
        return None
    span = int(start), int(end)
    return span if span[0] < span[1] <= len(markdown) and markdown[slice(*span)].strip() else None


def _contents(article: Article, headings: Sequence[Heading]) -> list[Heading]:
    listed = [h for h in headings if h.level <= 3 and h.text and not rendering.is_title(h, article)]
    return listed[:_LONGEST_CONTENTS] if len(listed) > 1 else []


def _missing(use: Services, snapshot: Snapshot, article_id: str) -> Response:
    near: Sequence[str] = ()
    try:
        find_article(snapshot, article_id.removesuffix(".md"))
    except NoSuchArticle as error:
        near = error.near
    titles = [(use.links.article(found.id), found.title) for id in near if (found := snapshot.articles.article(id))]
    words = " ".join(article_id.removesuffix(".md").rsplit("/", 1)[-1].replace("-", " ").split())
    return pages.page("missing.html", snapshot, 404, nav="", near=titles, words=words[:200])
