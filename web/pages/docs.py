"""Serves the OpenAPI document as a page that needs no script."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from web import templating
from web.pages import api_reference
from web.routing.facts import PrincipalDep, declare
from web.services import ServicesDep

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/docs")
@declare("read")
def docs(services: ServicesDep, principal: PrincipalDep, request: Request) -> Response:
    """Every route of the API with its parameters, fields and an example."""
    document = request.app.openapi()
    page = templating.page(
        "docs.html",
        services.store.seen_by(principal.viewer),
        principal,
        nav="docs",
        title=document["info"]["title"],
        summary=document["info"].get("summary", ""),
        groups=api_reference.operations(document),
    )
    return templating.unchanged_or(request, page)
