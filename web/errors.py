"""Errors raised by `web`.

WebError
├── CannotListen      the address or port cannot be had
├── CannotStart       the first of several serving processes could not start
├── KeysUnavailable   the file of API keys cannot be read or written
├── UnknownKey        a key that was never made
├── BadKey            what was presented is no key that may be used
├── KeysNeeded        others could reach a server that lets everybody in
├── SharedUnavailable what the serving processes share cannot be read or written
└── NoTelemetry       traces are wanted, and what sends them is not installed
"""

from indexes.errors import FootnoteError


class WebError(FootnoteError):
    """Base of every error this package raises on purpose."""


class CannotListen(WebError):
    pass


class CannotStart(WebError):
    pass


class KeysUnavailable(WebError):
    pass


class UnknownKey(WebError):
    pass


class BadKey(WebError):
    pass


class KeysNeeded(WebError):
    pass


class SharedUnavailable(WebError):
    pass


class NoTelemetry(WebError):
    pass
