"""The listing, one article, its related articles, and tags."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated

from fastapi import APIRouter, Path, Query

from indexes.articles import Sort
from indexes.snapshot import Snapshot
from indexes.types import Article, Filter, TagMode
from qa.answering import known_filter
from qa.related import related
from web import paging
from web.problems import NoSuchArticle
from web.schemas import ArticleDetailOut, ArticleOut, ArticlePage, Page, RelatedOut, TagName, TagOut, Text
from web.services import Use

router = APIRouter(prefix="/api/v1", tags=["articles"])

ArticleId = Annotated[str, Path(description="an article's id; it may contain slashes", max_length=1000)]
Limit = Annotated[int, Query(ge=1, le=200)]


@router.get("/articles")
def articles(
    use: Use,
    tag: Annotated[list[TagName], Query(max_length=50)] = [],
    tag_mode: TagMode = "any",
    featured: bool | None = None,
    q: Annotated[Text, Query(max_length=400, description="words that title, summary or tags contain")] = "",
    sort: Sort = "featured",
    limit: Limit = 50,
    cursor: Annotated[str | None, Query(max_length=100)] = None,
) -> ArticlePage:
    """The articles, with how many match and how often each tag occurs among them."""
    snapshot = use.store.current()
    table, filter = snapshot.articles, known_filter(snapshot, Filter(tuple(tag), tag_mode))
    offset, words = paging.decode(cursor), q.split()
    found = table.listing(filter, featured=featured, words=words, sort=sort, limit=limit, offset=offset)
    counts = table.tag_counts(filter, featured=featured, words=words)
    return ArticlePage(
        items=[ArticleOut.of(article, use.links) for article in found.articles],
        total=found.total,
        next_cursor=paging.next_cursor(offset, len(found.articles), found.total),
        tags=[TagOut(tag=name, count=count) for name, count in counts],
    )


@router.get("/articles/{article_id:path}/related")
def related_articles(
    use: Use, article_id: ArticleId, limit: Annotated[int, Query(ge=1, le=50)] = 5
) -> Page[RelatedOut]:
    """Articles related to one, best first, each with the reason."""
    snapshot = use.store.current()
    found = related(snapshot, find_article(snapshot, article_id), limit, use.links)
    return Page(items=[RelatedOut.of(entry) for entry in found], total=len(found))


@router.get("/articles/{article_id:path}")
def article(use: Use, article_id: ArticleId) -> ArticleDetailOut:
    """One article with the Markdown that citations' offsets refer to."""
    snapshot = use.store.current()
    found = find_article(snapshot, article_id)
    return ArticleDetailOut.with_text(found, snapshot.articles.headings(found.id), use.links)


@router.get("/tags")
def tags(
    use: Use,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
    cursor: Annotated[str | None, Query(max_length=100)] = None,
) -> Page[TagOut]:
    """Every tag with the number of articles that carry it, most frequent first."""
    counts = use.store.current().articles.tag_counts()
    offset = paging.decode(cursor)
    shown = [TagOut(tag=name, count=count) for name, count in counts[offset : offset + limit]]
    return Page(items=shown, total=len(counts), next_cursor=paging.next_cursor(offset, len(shown), len(counts)))


def find_article(snapshot: Snapshot, article_id: str) -> Article:
    """Raises NoSuchArticle naming articles with a similar id."""
    found = snapshot.articles.article(article_id)
    if found is None:
        raise NoSuchArticle(article_id, get_close_matches(article_id[:200], snapshot.articles.ids(), n=3, cutoff=0.5))
    return found
