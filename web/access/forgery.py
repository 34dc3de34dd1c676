"""Recognises requests that another site sends in the name of whoever looks at it.

The browser says where a request comes from; a page cannot make it lie (the rule is that of Go's
http.CrossOriginProtection; Fetch Metadata, W3C; OWASP Cross-Site Request Forgery Prevention).
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from web.access.policy import Proof

_SAFE = frozenset(("GET", "HEAD", "OPTIONS", "TRACE"))  # RFC 9110, 9.2.1


def is_forged(method: str, headers: Headers, proof: Proof, own: str, widgets: AbstractSet[str]) -> bool:
    """Whether to refuse. `own`: this site's public origin, or ""; `widgets`: origins that may embed the widget."""
    if method in _SAFE or proof == "key":  # browsers never attach an API key on their own
        return False
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if origin in widgets and proof != "session":  # a widget has nothing of the site that embeds it
        return False
    if site is not None:
        return site not in ("same-origin", "none")
    if origin is None:  # no browser of this decade; and nothing else has a cookie
        return proof == "session"
    if origin == "null":  # a form without a referrer, of this site or another: harmless from nobody in particular
        return proof != "nothing"
    return origin != own and host_of(origin) != headers.get("host")


def host_of(origin: str) -> str:
    """The host and port of an Origin field; the field itself if it names no host, which equals no Host field."""
    try:
        return urlsplit(origin).netloc or origin
    except ValueError:
        return origin
