"""Serves articles, their listing, related articles and tags to programs."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated

from fastapi import APIRouter, Path, Query

from indexes.types import Article, Filter, TagMode
from qa.catalogue import ListingQuery, Order
from qa.corpus import Corpus
from qa.filters import known_filter
from qa.related import related
from web.api import cursors
from web.api.article_schemas import ArticleDetailOut, ArticleOut, ArticlePage, TagOut
from web.api.schemas import ListPage, RelatedOut, TagName, Text
from web.middleware.problems import NoSuchArticle
from web.routing.facts import PrincipalDep, declare
from web.services import ServicesDep

router = APIRouter(prefix="/api/v1", tags=["articles"])

ArticleId = Annotated[str, Path(description="an article's id; it may contain slashes", max_length=1000)]
MOST_TAGS = 200  # offered to choose from
Cursor = Annotated[
    str | None, Query(max_length=100, json_schema_extra={"pattern": cursors.PATTERN}, description="of the page before")
]
Limit = Annotated[int, Query(ge=1, le=200)]


@router.get("/articles")
@declare("read", errors="problem")
def articles(
    services: ServicesDep,
    principal: PrincipalDep,
    tag: Annotated[list[TagName], Query(max_length=50)] = [],
    tag_mode: TagMode = "any",
    featured: bool | None = None,
    q: Annotated[Text, Query(max_length=400, description="words that title, summary or tags contain")] = "",
    sort: Order | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ArticlePage:
    """The articles, with how many match and how often each tag occurs among them.

    Without `sort` a search gives the best match first, everything else the featured articles. Where no article has a
    word of `q`, a near one is searched for: `corrected` then says what was.
    """
    corpus, offset = services.store.seen_by(principal.viewer), cursors.decode(cursor)
    filter = known_filter(corpus, Filter(tuple(tag), tag_mode))
    selection = services.catalogue.select(corpus, ListingQuery(q, filter, featured, sort), services.views.all())
    shown = selection.articles[offset : offset + limit]
    return ArticlePage(
        items=[ArticleOut.of(article, services.links) for article in shown],
        total=len(selection.articles),
        next_cursor=cursors.next_cursor(offset, len(shown), len(selection.articles)),
        tags=[TagOut(tag=name, count=count) for name, count in selection.tags],
        offered=[TagOut(tag=name, count=count) for name, count in selection.offered[:MOST_TAGS]],
        corrected=selection.corrected,
    )


@router.get("/articles/{article_id:path}/related")
@declare("read", errors="problem")
def related_articles(
    services: ServicesDep, principal: PrincipalDep, article_id: ArticleId, limit: Annotated[int, Query(ge=1, le=50)] = 5
) -> ListPage[RelatedOut]:
    """Articles related to one, best first, each with the reason."""
    corpus = services.store.seen_by(principal.viewer)
    articles = related(corpus, find_article(corpus, article_id), limit, services.links)
    return ListPage(items=[RelatedOut.of(article) for article in articles], total=len(articles))


@router.get("/articles/{article_id:path}")
@declare("read", errors="problem")
def article(services: ServicesDep, principal: PrincipalDep, article_id: ArticleId) -> ArticleDetailOut:
    """One article with the Markdown that citations' offsets refer to."""
    corpus = services.store.seen_by(principal.viewer)
    article = find_article(corpus, article_id)
    headings = corpus.articles.headings(article.id)
    return ArticleDetailOut.with_text(article, headings, services.views.of(article.id), services.links)


@router.get("/tags")
@declare("read", errors="problem")
def tags(
    services: ServicesDep,
    principal: PrincipalDep,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
    cursor: Cursor = None,
) -> ListPage[TagOut]:
    """Every tag with the number of articles that carry it, most frequent first."""
    counts = services.store.seen_by(principal.viewer).articles.tag_counts()
    offset = cursors.decode(cursor)
    shown = [TagOut(tag=name, count=count) for name, count in counts[offset : offset + limit]]
    return ListPage(items=shown, total=len(counts), next_cursor=cursors.next_cursor(offset, len(shown), len(counts)))


def find_article(corpus: Corpus, article_id: str) -> Article:
    """Raises NoSuchArticle naming articles with a similar id."""
    article = corpus.articles.article(article_id)
    if article is None:
        raise NoSuchArticle(article_id, get_close_matches(article_id[:200], corpus.articles.ids(), n=3, cutoff=0.5))
    return article
