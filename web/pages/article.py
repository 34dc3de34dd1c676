"""Serves the article pages, with the cited passage marked."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from rapidfuzz import fuzz, process

from indexes.types import Article, Heading
from qa.corpus import Corpus
from qa.errors import JournalUnavailable
from qa.related import related
from web import templating
from web.access.principals import Principal
from web.api.articles import find_article
from web.middleware.problems import NoSuchArticle
from web.observing.recording import notes_of
from web.rendering import articles
from web.rendering.source_map import Span
from web.routing.facts import PrincipalDep, declare
from web.services import Services, ServicesDep

log = logging.getLogger(__name__)

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

_RELATED = 5
_WORDS_A_MINUTE = 200  # technical text reads slower than the 238 of English non-fiction (Brysbaert, 2019)
_LONGEST_CONTENTS = 100  # headings in the table of contents
_SUGGESTED = 5  # titles suggested where there is no article
_TITLE_MATCH = 80  # of 100: how well part of a title must match the address, chosen by eye on the bundled KB


@router.get("/articles/{article_id:path}")
@declare("read")
def article(
    services: ServicesDep,
    principal: PrincipalDep,
    request: Request,
    article_id: str,
    cite: str = "",
    answer: str = "",
    voted: str = "",
) -> Response:
    """An article, with the passage `cite` (START-END) marked; as Markdown where the address ends in `.md`.

    `answer`: the id of the answer that the viewer came from; `voted`: not empty if they have just voted.
    """
    corpus = services.store.seen_by(principal.viewer)
    shown = corpus.articles.article(article_id)
    if shown is not None:
        views = _count_view(services, request, shown)
        return templating.unchanged_or(
            request, _article(services, principal, corpus, shown, views, cite, answer, bool(voted))
        )
    source = corpus.articles.article(article_id.removesuffix(".md"))
    if source is not None:
        text = PlainTextResponse(source.markdown, media_type="text/markdown; charset=utf-8")
        text.headers["link"] = f'<{services.links.article(source.id)}>; rel="canonical"'
        return templating.unchanged_or(request, text)
    return _not_found(services, principal, corpus, article_id)


@router.post("/articles/{article_id:path}")
@declare("feedback")
def vote(
    services: ServicesDep,
    principal: PrincipalDep,
    request: Request,
    article_id: str,
    helpful: Annotated[Literal["yes", "no"], Form()],
) -> Response:
    """Records whether the viewer found the article helpful."""
    voted_on = find_article(services.store.seen_by(principal.viewer), article_id)
    services.views.vote(voted_on.id, *_client(request), helpful == "yes")
    return RedirectResponse(f"{services.links.article(voted_on.id)}?voted={helpful}#~helpful", 303)


def _count_view(services: Services, request: Request, article: Article) -> int:
    """Counts this view of the article; returns its views on top of its stored figure."""
    try:
        if notes_of(request.scope).method == "GET" and "prefetch" not in request.headers.get("sec-purpose", ""):
            services.views.count(article.id, *_client(request))
        return services.views.of(article.id)
    except JournalUnavailable as error:  # the article is shown all the same
        log.error("A view was not counted: %s", error)
        return 0


def _client(request: Request) -> tuple[str, str]:
    """The address and user agent, which tell one client's views from another's."""
    return request.client.host if request.client else "", request.headers.get("user-agent", "")


def _article(
    services: Services,
    principal: Principal,
    corpus: Corpus,
    article: Article,
    views: int,
    cite: str,
    answer: str,
    voted: bool,
) -> HTMLResponse:
    table = corpus.articles
    headings, passage = table.headings(article.id), _passage_span(cite, article.markdown)
    body = articles.article(article, headings, lambda id: table.article(id) is not None, services.links, passage)
    return templating.page(
        "article.html",
        corpus,
        principal,
        nav="",
        article=article,
        body=body,
        passage=passage,
        views=article.views + views,
        url=services.links.article(article.id),
        voted=voted,
        contents=_table_of_contents(article, headings),
        back=f"/answers/{answer}" if passage and re.fullmatch(r"[0-9a-f]{8,64}", answer) else "",
        minutes=max(1, round(len(article.markdown.split()) / _WORDS_A_MINUTE)),
        related=related(corpus, article, _RELATED, services.links),
        category=templating.category(corpus),
    )


def _passage_span(cite: str, markdown: str) -> Span | None:
    """The span START-END; None unless it is a passage of the article."""
    start, _, end = cite.partition("-")
    if not all(part.isascii() and part.isdecimal() and len(part) < 10 for part in (start, end)):
        return None
    span = int(start), int(end)
    return span if span[0] < span[1] <= len(markdown) and markdown[slice(*span)].strip() else None


def _table_of_contents(article: Article, headings: Sequence[Heading]) -> list[Heading]:
    entries = [h for h in headings if h.level <= 3 and h.text and not articles.is_title(h, article)]
    return entries[:_LONGEST_CONTENTS] if len(entries) > 1 else []


def _not_found(services: Services, principal: Principal, corpus: Corpus, article_id: str) -> Response:
    words = " ".join(article_id.removesuffix(".md").rsplit("/", 1)[-1].replace("-", " ").split())[:200]
    titles = [(services.links.article(near.id), near.title) for near in _similar_articles(corpus, article_id, words)]
    return templating.page("missing.html", corpus, principal, 404, nav="", near=titles, words=words)


def _similar_articles(corpus: Corpus, article_id: str, words: str) -> list[Article]:
    """Articles whose id or title resembles the requested one."""
    try:
        ids = [find_article(corpus, article_id.removesuffix(".md")).id]
    except NoSuchArticle as error:
        ids = list(error.near)
    titles = {article.id: article.title.casefold() for article in corpus.articles.listed()}
    matches = process.extract(
        words.casefold(), titles, scorer=fuzz.partial_ratio, score_cutoff=_TITLE_MATCH, limit=_SUGGESTED
    )
    near = [corpus.articles.article(id) for id in dict.fromkeys([*ids, *(id for _, _, id in matches)])]
    return [article for article in near if article][:_SUGGESTED]
