"""Serves llms.txt: the contents of the knowledge base as Markdown for language models."""

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
    corpus = services.store.seen_by(principal.viewer)
    category = templating.category(corpus)
    articles = sorted(corpus.articles.listed(), key=lambda article: article.title.casefold())
    lines = [f"# {_escaped_line(category.name)}", ""]
    if category.description:
        lines += [f"> {_escaped_line(category.description)}", ""]
    lines += [
        "Questions are answered, every sentence with its source, by `POST /api/v1/ask`; `/openapi.json` describes it.",
        "Agents find tools at `/mcp` (Model Context Protocol), chat clients a model at `/v1` (OpenAI's API).",
        "",
        "## Articles",
        "",
    ]
    for article in articles[:_MOST]:
        about = f": {_escaped_line(article.summary)}" if article.summary else ""
        lines.append(f"- [{_escaped_line(article.title)}]({services.links.article(article.id)}.md){about}")
    if len(articles) > _MOST:
        lines += ["", f"{len(articles) - _MOST} more: `GET /api/v1/articles`."]
    return templating.unchanged_or(request, PlainTextResponse("\n".join([*lines, ""])))


def _escaped_line(text: str) -> str:
    """The text on one line, with Markdown's special characters escaped."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
