"""For machine readers: what the knowledge base holds, as plain Markdown."""

from __future__ import annotations

import re

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from web import templating
from web.routing.facts import PrincipalDep, declare
from web.services import ServicesDep

router = APIRouter(include_in_schema=False)

_MOST = 2_000  # articles listed
_SPECIAL = re.compile(r"([\\`*_\[\]<>])")


@router.get("/llms.txt")
@declare("read")
def llms(services: ServicesDep, principal: PrincipalDep, request: Request) -> Response:
    """The articles with links to their Markdown, in the form of llmstxt.org."""
    snapshot = services.store.seen_by(principal.viewer)
    category = templating.category(snapshot)
    listed = sorted(snapshot.articles.listed(), key=lambda article: article.title.casefold())
    lines = [f"# {_plain(category.name)}", ""]
    if category.description:
        lines += [f"> {_plain(category.description)}", ""]
    lines += [
        "Questions are answered, every sentence with its source, by `POST /api/v1/ask`; `/openapi.json` describes it.",
        "Agents find tools at `/mcp` (Model Context Protocol), chat clients a model at `/v1` (OpenAI's API).",
        "",
        "## Articles",
        "",
    ]
    for article in listed[:_MOST]:
        about = f": {_plain(article.summary)}" if article.summary else ""
        lines.append(f"- [{_plain(article.title)}]({services.links.article(article.id)}.md){about}")
    if len(listed) > _MOST:
        lines += ["", f"{len(listed) - _MOST} more: `GET /api/v1/articles`."]
    return templating.unchanged_or(request, PlainTextResponse("\n".join([*lines, ""])))


def _plain(text: str) -> str:
    """One line of text that is no Markdown."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
