"""Renders templates: pages, fragments and error pages, with dates and the name of the knowledge base."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from indexes.types import Category
from qa.corpus import Corpus
from qa.errors import UnknownTag
from web.access.policy import Visitor
from web.access.principals import Principal

_NO_CATEGORY = Category("Knowledge base")
_TITLES = {
    403: "This is not open to you",
    404: "There is no page here",
    405: "This page cannot be used like that",
    413: "That was too much at once",
    421: "This server has another name",
    422: "This request is not valid",
    429: "That was asked too often",
    500: "Something went wrong",
    503: "Not available at the moment",
}


def page(template: str, corpus: Corpus, principal: Principal, status: int = 200, **values: Any) -> HTMLResponse:
    """A page; its footer shows the age of `corpus` and what `principal` may open."""
    html = _TEMPLATES.get_template(template).render(corpus=corpus, principal=principal, **values)
    return HTMLResponse(html, status)


def unchanged_or(request: Request, response: Response) -> Response:
    """`response` with an ETag, or 304 for a client that has it; clients must revalidate every time."""
    body = bytes(response.body)
    headers = {"etag": f'"{hashlib.sha256(body).hexdigest()[:32]}"', "cache-control": "private, no-cache"}
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if headers["etag"] in known or "*" in known:
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return response


def fragment(template: str, **values: Any) -> str:
    """A template rendered as part of a page."""
    return _TEMPLATES.get_template(template).render(**values)


def error(status: int, message: str, headers: Mapping[str, str]) -> HTMLResponse:
    """An error page, rendered without the snapshot or any service."""
    phrase = HTTPStatus(status).phrase
    title, detail = _TITLES.get(status, phrase), "" if message == phrase else message
    html = _TEMPLATES.get_template("error.html").render(nav="", title=title, detail=detail)
    return HTMLResponse(html, status, headers)


def sign_in(
    status: int,
    message: str,
    headers: Mapping[str, str],
    next: str,
    visitor: Visitor | None = None,
    unkept: bool = False,
) -> HTMLResponse:
    """The sign-in form, which leads to `next`. `message`: the error; `unkept`: the browser would drop the session."""
    html = _TEMPLATES.get_template("sign_in.html").render(
        nav="", error=message, next=next, visitor=visitor, unkept=unkept
    )
    return HTMLResponse(html, status, {**headers, "cache-control": "no-store"})


def category(corpus: Corpus) -> Category:
    """The name and description of the knowledge base: its category, or one that names all of them."""
    categories = corpus.articles.categories()
    if len(categories) == 1:
        return categories[0]
    return replace(_NO_CATEGORY, description=" · ".join(category.name for category in categories))


def no_tag(error: UnknownTag) -> str:
    """The message for an unknown tag, with the tags that resemble it."""
    near = f" Did you mean {' or '.join(f'“{tag}”' for tag in error.near)}?" if error.near else ""
    return f"No article carries the tag “{error.tag}”.{near}"


# Templates


def _day(day: date) -> str:
    return f"{day:%b} {day.day}, {day.year}"


def _time(moment: str) -> str:
    parsed = datetime.fromisoformat(moment)
    return f"{_day(parsed)}, {parsed:%H:%M} UTC"


def _ago(moment: str) -> str:
    """How long ago, in the largest unit that fits."""
    seconds = (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if count := int(seconds // length):
            return f"{count} {unit}{'' if count == 1 else 's'} ago" if count > 0 else "just now"
    return "just now"


def _query(path: str, values: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(values)}"


def _templates() -> Environment:
    folder = Path(__file__).parent / "templates"
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"ago": _ago, "day": _day, "time": _time}
    environment.globals["query"] = _query
    return environment


_TEMPLATES = _templates()
