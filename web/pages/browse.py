"""Which articles are there, searched, filtered and sorted as the address of the listing says?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from starlette.datastructures import QueryParams

from indexes.snapshots.snapshot import Snapshot
from indexes.types import Filter, TagMode
from qa.answering import known_filter
from qa.catalogue import Order, Selection, TagCount, Wanted
from qa.errors import UnknownTag
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
    """What the address of the listing says. What makes no sense in it is ignored, never an error."""

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
        """The address of this listing with `changes`; without a `page` among them, from its first page on."""
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
        return self.url(tags=tuple(own for own in self.tags if own != tag))


@router.get("/browse")
@declare("read")
def browse(services: ServicesDep, principal: PrincipalDep, request: Request) -> Response:
    """The listing of the knowledge base, searched, filtered and sorted as its address says."""
    snapshot, state = services.store.seen_by(principal.viewer), Browsing.read(request.query_params)
    try:
        filter = known_filter(snapshot, Filter(state.tags, state.tag_mode))
    except UnknownTag as error:
        return _browse(services, principal, snapshot, state, Filter(state.tags, "all"), templating.no_tag(error))
    return _browse(services, principal, snapshot, replace(state, tags=filter.tags), filter)


def _browse(
    services: Services, principal: Principal, snapshot: Snapshot, state: Browsing, filter: Filter, error: str = ""
) -> Response:
    wanted = Wanted(state.q, filter, state.featured or None, state.sort)
    found = services.catalogue.select(snapshot, wanted, services.views.all())
    total = len(found.articles)
    last = max(1, -(-total // _PAGE_SIZE))
    state = replace(state, page=min(state.page, last))
    offset = (state.page - 1) * _PAGE_SIZE
    return templating.page(
        "browse.html",
        snapshot,
        principal,
        422 if error else 200,
        nav="browse",
        state=state,
        error=error,
        total=total,
        pages=range(1, last + 1),
        articles=found.articles[offset : offset + _PAGE_SIZE],
        orders=_ORDERS,
        links=services.links,
        tags=_offered(state, found.offered)[:MOST_TAGS],
        corrected=found.corrected,
        ask=_ask(state, found),
        category=templating.category(snapshot),
        categories=snapshot.articles.categories(),
    )


def _offered(state: Browsing, counts: Sequence[TagCount]) -> list[TagCount]:
    """Tags to filter by: those chosen first, then the most frequent."""
    known = dict(counts)
    chosen = [(tag, known.get(tag, 0)) for tag in state.tags]
    return [*chosen, *((tag, count) for tag, count in counts if tag not in state.tags)]


def _ask(state: Browsing, found: Selection) -> str:
    """The chat with the same filter. It knows tags, and all of them as "any": another filter is not promised."""
    if not found.articles or not state.tags or state.q or state.featured or state.tag_mode == "all":
        return ""
    return f"/?{urlencode([('tags', tag) for tag in state.tags])}"
