"""The API in words: the OpenAPI document as a page that needs no script."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from web import describing, pages
from web.access.principals import Reading
from web.services import Use

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/docs")
def docs(use: Use, principal: Reading, request: Request) -> Response:
    """Every route of the API with its parameters, fields and an example."""
    document = request.app.openapi()
    shown = pages.page(
        "docs.html", use.store.seen_by(principal.reader), principal, nav="docs", title=document["info"]["title"],
        summary=document["info"].get("summary", ""), groups=describing.operations(document),
    )  # fmt: skip
    return pages.unchanged_or(request, shown)
