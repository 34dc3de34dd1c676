"""What do all pages have in common: templates, dates, the name of the knowledge base, and errors as pages."""

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

from indexes.snapshots.snapshot import Snapshot
from indexes.types import Category
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


def page(template: str, snapshot: Snapshot, principal: Principal, status: int = 200, **values: Any) -> HTMLResponse:
    """A page about `snapshot` for `principal`: its foot tells the age of the one and what is open to the other."""
    html = _TEMPLATES.get_template(template).render(manifest=snapshot.manifest, principal=principal, **values)
    return HTMLResponse(html, status)


def unchanged_or(request: Request, response: Response) -> Response:
    """`response` with an ETag, or 304 for a client that has it already. Nothing is shown without asking again."""
    body = bytes(response.body)
    headers = {"etag": f'"{hashlib.sha256(body).hexdigest()[:32]}"', "cache-control": "private, no-cache"}
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if headers["etag"] in known or "*" in known:
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return response


def fragment(template: str, **values: Any) -> str:
    """A piece of a page."""
    return _TEMPLATES.get_template(template).render(**values)


def error(status: int, said: str, headers: Mapping[str, str]) -> HTMLResponse:
    """What went wrong, as a page that needs nothing but its template."""
    phrase = HTTPStatus(status).phrase
    title, detail = _TITLES.get(status, phrase), "" if said == phrase else said
    html = _TEMPLATES.get_template("error.html").render(nav="", title=title, detail=detail)
    return HTMLResponse(html, status, headers)


def sign_in(
    status: int, said: str, headers: Mapping[str, str], next: str, visitor: Visitor | None = None, unkept: bool = False
) -> HTMLResponse:
    """A form to sign in with, and then to go on to `next`. `said`: what was wrong; `unkept`: it would not last."""
    html = _TEMPLATES.get_template("sign_in.html").render(nav="", error=said, next=next, visitor=visitor, unkept=unkept)
    return HTMLResponse(html, status, {**headers, "cache-control": "no-store"})


def category(snapshot: Snapshot) -> Category:
    """What the knowledge base is called: its category, or all of them."""
    categories = snapshot.articles.categories()
    if len(categories) == 1:
        return categories[0]
    return replace(_NO_CATEGORY, description=" · ".join(category.name for category in categories))


def no_tag(error: UnknownTag) -> str:
    """That nothing carries the tag, and which tags are near."""
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
