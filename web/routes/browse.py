"""Which articles are there, searched, filtered and sorted as the address of the listing says?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from starlette.datastructures import QueryParams

from indexes.articles import Sort
from indexes.snapshot import Snapshot
from indexes.types import Filter, TagMode
from qa.answering import known_filter
from qa.errors import UnknownTag
from web import pages
from web.services import Services, Use

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

_PAGE_SIZE = 20
_SORTS: dict[Sort, str] = {"featured": "Featured first", "newest": "Newest", "views": "Most viewed", "title": "Title"}


@dataclass(frozen=True, slots=True)
class Browsing:
    """What the address of the listing says. What makes no sense in it is ignored, never an error."""

    q: str
    tags: tuple[str, ...]
    tag_mode: TagMode
    featured: bool
    sort: Sort
    page: int

    @classmethod
    def read(cls, params: QueryParams) -> Browsing:
        sort, page = params.get("sort", ""), params.get("page", "")
        return cls(
            q=params.get("q", "")[:400],
            tags=tuple(dict.fromkeys(tag for tag in params.getlist("tag")[:50] if tag.strip())),
            tag_mode="all" if params.get("tag_mode") == "all" else "any",
            featured=params.get("featured", "") in ("1", "true", "on"),
            sort=cast(Sort, sort) if sort in get_args(Sort) else "featured",
            page=int(page) if page.isascii() and page.isdecimal() and 0 < len(page) < 7 else 1,
        )

    def url(self, **changes: Any) -> str:
        """The address of this listing with `changes`; without a `page` among them, from its first page on."""
        state = replace(self, **{"page": 1, **changes})
        pairs = [("q", state.q), *(("tag", tag) for tag in state.tags)]
        pairs += [("tag_mode", "all" if state.tag_mode == "all" else ""), ("featured", "1" if state.featured else "")]
        pairs += [
            ("sort", "" if state.sort == "featured" else state.sort),
            ("page", str(state.page) if state.page > 1 else ""),
        ]
        query = urlencode([(name, value) for name, value in pairs if value])
        return f"/browse?{query}" if query else "/browse"

    def without(self, tag: str) -> str:
        return self.url(tags=tuple(own for own in self.tags if own != tag))


@router.get("/browse")
def browse(use: Use, request: Request) -> Response:
    """The listing of the knowledge base, searched, filtered and sorted as its address says."""
    snapshot, state = use.store.current(), Browsing.read(request.query_params)
    try:
        filter = known_filter(snapshot, Filter(state.tags, state.tag_mode))
    except UnknownTag as error:
        return _browse(use, snapshot, state, Filter(state.tags, "all"), pages.no_tag(error))
    return _browse(use, snapshot, replace(state, tags=filter.tags), filter)


def _browse(use: Services, snapshot: Snapshot, state: Browsing, filter: Filter, error: str = "") -> Response:
    table, words, featured = snapshot.articles, state.q.split(), state.featured or None
    total = table.listing(filter, featured=featured, words=words, limit=0).total
    last = max(1, -(-total // _PAGE_SIZE))
    state = replace(state, page=min(state.page, last))
    offset = (state.page - 1) * _PAGE_SIZE
    found = table.listing(filter, featured=featured, words=words, sort=state.sort, limit=_PAGE_SIZE, offset=offset)
    # With "any", one more tag adds articles: its count is not among those already chosen.
    counted = filter if filter.mode == "all" else Filter()
    return pages.page(
        "browse.html", snapshot, 422 if error else 200, nav="browse", state=state, error=error, total=total,
        pages=range(1, last + 1), articles=found.articles, sorts=_SORTS, links=use.links,
        tags=_offered(state, table.tag_counts(counted, featured=featured, words=words)),
        category=pages.category(snapshot), categories=table.categories(),
    )  # fmt: skip


def _offered(state: Browsing, counts: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Tags to filter by: those chosen first, then the most frequent."""
    known = dict(counts)
    chosen = [(tag, known.get(tag, 0)) for tag in state.tags]
    return [*chosen, *((tag, count) for tag, count in counts if tag not in state.tags)]
