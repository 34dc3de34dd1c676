"""JSON of articles, their tags and their listing."""

from __future__ import annotations

from datetime import date
from typing import Self

from pydantic import BaseModel

from indexes.types import Article, ArticleSummary, Heading
from qa.links import Links
from web.api.schemas import ListPage


class ArticleOut(BaseModel):
    id: str
    title: str
    summary: str
    tags: list[str]
    featured: bool
    views: int
    updated: date | None
    type: str
    category: str
    url: str
    source_url: str | None

    @classmethod
    def of(cls, article: ArticleSummary, links: Links) -> Self:
        return cls(url=links.article(article.id), **_listing_fields(article))


class HeadingOut(BaseModel):
    level: int
    text: str
    anchor: str


class ArticleDetailOut(ArticleOut):
    markdown: str
    headings: list[HeadingOut]

    @classmethod
    def with_text(cls, article: Article, headings: tuple[Heading, ...], views: int, links: Links) -> Self:
        shown = [HeadingOut(level=h.level, text=h.text, anchor=h.anchor) for h in headings]
        return cls(
            url=links.article(article.id),
            markdown=article.markdown,
            headings=shown,
            **{**_listing_fields(article), "views": article.views + views},
        )


class TagOut(BaseModel):
    tag: str
    count: int


class ArticlePage(ListPage[ArticleOut]):
    tags: list[TagOut]  # of all matching articles, not of this page alone
    offered: list[TagOut] = []  # tags that would narrow the list, or with tag_mode=any widen it, most frequent first
    corrected: str = ""  # what was searched for in place of words that no article has


def _listing_fields(article: Article | ArticleSummary) -> dict[str, object]:
    return {
        "id": article.id,
        "title": article.title,
        "summary": article.summary,
        "tags": list(article.tags),
        "featured": article.featured,
        "views": article.views,
        "updated": article.updated,
        "type": article.type,
        "category": article.category,
        "source_url": article.source_url,
    }
