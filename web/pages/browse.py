"""Serves the listing of articles, searched, filtered and sorted by its address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from starlette.datastructures import QueryParams

from indexes.types import Filter, TagMode
from qa.catalogue import ListingQuery, Order, Selection, TagCount
from qa.corpus import Corpus
from qa.errors import UnknownTag
from qa.filters import known_filter
from web import templating
from web.access.principals import Principal
from web.api.articles import MOST_TAGS
from web.routing.facts import PrincipalDep, declare
from web.services import Services, ServicesDep

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

_PAGE_SIZE = 20
_ORDERS: dict[Order, str] = {
    "featured": "Featured first",
    "newest": "Newest",
    "views": "Most viewed",
    "title": "Title",
}


@dataclass(frozen=True, slots=True)
class Browsing:
    """The state of the listing as its address holds it. Invalid parameters are ignored, never an error."""

    q: str
    tags: tuple[str, ...]
    tag_mode: TagMode
    featured: bool
    sort: Order | None
    page: int

    @classmethod
    def read(cls, params: QueryParams) -> Browsing:
        sort, page = params.get("sort", ""), params.get("page", "")
        return cls(
            q=params.get("q", "")[:400],
            tags=tuple(dict.fromkeys(tag for tag in params.getlist("tag")[:50] if tag.strip())),
            tag_mode="all" if params.get("tag_mode") == "all" else "any",
            featured=params.get("featured", "") in ("1", "true", "on"),
            sort=next((order for order in get_args(Order) if order == sort), None),
            page=int(page) if page.isascii() and page.isdecimal() and 0 < len(page) < 7 else 1,
        )

    def url(self, **changes: Any) -> str:
        """The address of this listing with `changes`; its first page unless they name one."""
        state = replace(self, **{"page": 1, **changes})
        pairs = [("q", state.q), *(("tag", tag) for tag in state.tags)]
        pairs += [("tag_mode", "all" if state.tag_mode == "all" else ""), ("featured", "1" if state.featured else "")]
        pairs += [
            ("sort", state.sort or ""),
            ("page", str(state.page) if state.page > 1 else ""),
        ]
        query = urlencode([(name, value) for name, value in pairs if value])
        return f"/browse?{query}" if query else "/browse"

    def without(self, tag: str) -> str:
        return self.url(tags=tuple(chosen for chosen in self.tags if chosen != tag))


@router.get("/browse")
@declare("read")
def browse(services: ServicesDep, principal: PrincipalDep, request: Request) -> Response:
    """The listing of the knowledge base."""
    corpus, state = services.store.seen_by(principal.viewer), Browsing.read(request.query_params)
    try:
        filter = known_filter(corpus, Filter(state.tags, state.tag_mode))
    except UnknownTag as error:
        return _browse(services, principal, corpus, state, Filter(state.tags, "all"), templating.no_tag(error))
    return _browse(services, principal, corpus, replace(state, tags=filter.tags), filter)


def _browse(
    services: Services, principal: Principal, corpus: Corpus, state: Browsing, filter: Filter, error: str = ""
) -> Response:
    query = ListingQuery(state.q, filter, state.featured or None, state.sort)
    selection = services.catalogue.select(corpus, query, services.views.all())
    total = len(selection.articles)
    last = max(1, -(-total // _PAGE_SIZE))
    state = replace(state, page=min(state.page, last))
    offset = (state.page - 1) * _PAGE_SIZE
    return templating.page(
        "browse.html",
        corpus,
        principal,
        422 if error else 200,
        nav="browse",
        state=state,
        error=error,
        total=total,
        pages=range(1, last + 1),
        articles=selection.articles[offset : offset + _PAGE_SIZE],
        orders=_ORDERS,
        links=services.links,
        tags=_tags_to_offer(state, selection.offered)[:MOST_TAGS],
        corrected=selection.corrected,
        ask=_chat_url(state, selection),
        category=templating.category(corpus),
        categories=corpus.articles.categories(),
    )


def _tags_to_offer(state: Browsing, counts: Sequence[TagCount]) -> list[TagCount]:
    """Tags to filter by: those chosen first, then the most frequent."""
    count_of = dict(counts)
    chosen = [(tag, count_of.get(tag, 0)) for tag in state.tags]
    return [*chosen, *((tag, count) for tag, count in counts if tag not in state.tags)]


def _chat_url(state: Browsing, selection: Selection) -> str:
    """The chat with the same filter; "" for a filter it does not have: it knows only tags, in mode "any"."""
    if not selection.articles or not state.tags or state.q or state.featured or state.tag_mode == "all":
        return ""
    return f"/?{urlencode([('tags', tag) for tag in state.tags])}"
