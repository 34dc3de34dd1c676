"""Checks that Slack has sent a request, just now and for the first time.

Slack signs `v0:<timestamp>:<raw body>` with the app's signing secret (HMAC-SHA256):
https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from slack_sdk.signature import Clock, SignatureVerifier

from web.slack.errors import NotFromSlack

GOOD_FOR = 600  # seconds that a signature can be good: its timestamp may be five minutes off, either way

# Checked first: the verifier raises on what is no number, no ASCII or no UTF-8.
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)


class SeenSignatures(Protocol):
    def first(self, key: str) -> bool:
        """Whether a signature was not seen lately; from now on it was."""


class Signatures:
    """Checks requests with one signing secret.

    `seen` remembers signatures for `GOOD_FOR` seconds; `clock` gives Unix seconds.
    """

    def __init__(self, secret: str, seen: SeenSignatures, clock: Callable[[], float] = time.time) -> None:
        self._verifier = SignatureVerifier(secret, _Clock(clock))
        self._seen = seen

    def check(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Raises NotFromSlack unless the raw body is signed, fresh, and not seen before."""
        timestamp = headers.get("x-slack-request-timestamp", "")
        signature = headers.get("x-slack-signature", "")
        if not (_TIMESTAMP.fullmatch(timestamp) and _SIGNATURE.fullmatch(signature)):
            raise NotFromSlack("its signature or timestamp is missing or malformed")
        try:
            valid = self._verifier.is_valid(body, timestamp, signature)  # compares in constant time
        except UnicodeDecodeError:
            valid = False
        if not valid:
            raise NotFromSlack("it is older than five minutes, or not signed with FOOTNOTE_SLACK_SIGNING_SECRET")
        if not self._seen.first(signature):
            raise NotFromSlack("it is a replay")


class _Clock(Clock):
    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now

    def now(self) -> float:
        return self._now()
