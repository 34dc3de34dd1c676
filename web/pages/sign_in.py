"""Serves signing in with a key, which the browser exchanges for a session, and signing out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from web import templating
from web.access.policy import COOKIE, Visitor
from web.access.principals import CHALLENGE
from web.access.proxies import is_loopback
from web.access.rules import GONE
from web.errors import BadKey
from web.routing.facts import declare
from web.services import ServicesDep

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

_LONGEST = 2_000  # characters of an address to go back to


@router.get("/sign-in")
@declare(credentials="optional")
def page(request: Request, next: Annotated[str, Query()] = "/") -> Response:
    """Who is signed in, and a form to sign in as somebody else."""
    return _page(request, _safe_redirect(next))


@router.post("/sign-in")
@declare(cost="tries a key", credentials="optional")
def sign_in(
    services: ServicesDep, request: Request, key: Annotated[str, Form()] = "", next: Annotated[str, Form()] = "/"
) -> Response:
    """Begins a session."""
    try:
        token, lifetime = services.access_rules.keys.sign_in(key.strip())
    except BadKey as error:
        return _page(request, _safe_redirect(next), str(error))
    response = RedirectResponse(_safe_redirect(next), 303)
    response.set_cookie(
        COOKIE, token, max_age=int(lifetime.total_seconds()), secure=True, httponly=True, samesite="lax", path="/"
    )
    return response


@router.post("/sign-out")
@declare(credentials="optional")
def sign_out(services: ServicesDep, request: Request) -> Response:
    """Ends the session, in the browser and in the keys file."""
    services.access_rules.keys.sign_out(request.cookies.get(COOKIE, ""))
    # The next user of this browser must not see pages from its cache.
    return RedirectResponse("/sign-in", 303, {"set-cookie": GONE, "clear-site-data": '"cache", "storage"'})


def _page(request: Request, next: str, error: str = "") -> HTMLResponse:
    visitor: Visitor = request.scope["visitor"]
    insecure = request.url.scheme == "http" and request.headers.get("x-forwarded-proto") != "https"
    # Browsers drop secure cookies on plain HTTP, except on the machine itself.
    unkept = insecure and not _is_local(request.url.hostname or "")
    return templating.sign_in(
        401 if error else 200, error, {"www-authenticate": CHALLENGE} if error else {}, next, visitor, unkept=unkept
    )


def _is_local(host: str) -> bool:
    return host == "localhost" or is_loopback(host)


def _safe_redirect(address: str) -> str:
    """The address if it is on this site, else the first page: no open redirect."""
    local = address.startswith("/") and not address.startswith(("//", "/\\")) and len(address) <= _LONGEST
    return address if local and address.isascii() and address.isprintable() else "/"
