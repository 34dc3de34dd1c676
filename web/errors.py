"""Errors raised by `web`.

WebError
└── CannotListen   the address or port cannot be had
"""

from indexes.errors import FootnoteError


class WebError(FootnoteError):
    """Base of every error this package raises on purpose."""


class CannotListen(WebError):
    pass
