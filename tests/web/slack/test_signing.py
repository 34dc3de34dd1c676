"""Row S7: what Slack did not sign just now is nobody's request."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import pytest

from tests.web.slack.standin import SECRET, signed
from web.shared_state import Shared
from web.slack.errors import NotFromSlack
from web.slack.recent import Recent
from web.slack.signing import GOOD_FOR, Signatures

NOW = 1_700_000_000
BODY = b"token=x&team_id=T0KB&text=how"


class Clock:
    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def headers(timestamp: str = str(NOW), body: bytes = BODY, secret: str = SECRET) -> dict[str, str]:
    return signed(body, secret, timestamp)


def signatures(secret: str = SECRET, clock: Clock = Clock(), shared: Shared | None = None) -> Signatures:
    return Signatures(secret, Recent("signatures", GOOD_FOR, shared or Shared(), clock=clock), clock)


def test_slacks_own_example_is_accepted() -> None:
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&"
        b"channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&"
        b"response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&"
        b"trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    given = {"x-slack-request-timestamp": "1531420618", "x-slack-signature": signature}
    signatures("8f742231b10e8888abcd99yyyzzz85a5", Clock(1531420618)).check(body, given)


@pytest.mark.parametrize("age", [-299, 0, 299])
def test_a_request_of_the_last_five_minutes_is_accepted(age: int) -> None:
    signatures().check(BODY, headers(str(NOW + age)))


FORGED = {
    "nothing": {},
    "no signature": {"x-slack-request-timestamp": str(NOW)},
    "no timestamp": {"x-slack-signature": headers()["x-slack-signature"]},
    "too old": headers(str(NOW - 301)),
    "too far ahead": headers(str(NOW + 301)),
    "not a number": headers("now"),
    "a fraction": headers(f"{NOW}.5"),
    "a sign": headers(f"+{NOW}"),
    "a blank before": headers(f" {NOW}"),
    "digits of another script": {**headers(), "x-slack-request-timestamp": "١٧٠٠٠٠٠٠٠٠"},
    "an endless number": headers("9" * 5_000),
    "another secret": headers(secret="another"),
    "another body": headers(body=BODY + b"!"),
    "another moment": {**headers(), "x-slack-request-timestamp": str(NOW + 1)},
    "no version": {**headers(), "x-slack-signature": headers()["x-slack-signature"].removeprefix("v0=")},
    "another version": {**headers(), "x-slack-signature": headers()["x-slack-signature"].replace("v0", "v1")},
    "capitals": {**headers(), "x-slack-signature": headers()["x-slack-signature"].upper()},
    "a signature with letters of another script": {**headers(), "x-slack-signature": "v0=" + "é" * 64},
    "a piece of the signature": {**headers(), "x-slack-signature": headers()["x-slack-signature"][:20]},
    "a bare hash": {
        "x-slack-request-timestamp": str(NOW),
        "x-slack-signature": "v0=" + hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest(),
    },
}


@pytest.mark.parametrize("given", FORGED.values(), ids=FORGED.keys())
def test_a_request_that_is_not_signed_or_not_fresh_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(NotFromSlack):
        signatures().check(BODY, given)


def test_a_body_that_is_no_text_is_refused() -> None:
    with pytest.raises(NotFromSlack):
        signatures().check(b"\xff\xfe", headers(body=b"\xff\xfe"))


def test_a_replay_is_refused_for_as_long_as_its_signature_is_good() -> None:
    clock = Clock()
    checked = signatures(clock=clock)
    ahead = headers(str(NOW + 300))  # the longest that a signature can stay good
    checked.check(BODY, ahead)
    for clock.now in (NOW, NOW + 1, NOW + 599, NOW + 600, NOW + 601, NOW + 10_000):
        with pytest.raises(NotFromSlack):
            checked.check(BODY, ahead)


def test_a_forged_request_takes_no_place_in_the_memory_of_signatures() -> None:
    shared = Shared()
    checked = signatures(shared=shared)
    for number in range(100):
        with pytest.raises(NotFromSlack):
            checked.check(BODY, headers(secret=f"guess {number}"))
    assert count(shared, "signatures") == 0


def test_what_was_seen_is_forgotten_after_its_time() -> None:
    clock, shared = Clock(0), Shared()
    recent = Recent("events", 600, shared, clock=clock)
    assert recent.first("Ev1")
    assert not recent.first("Ev1")
    clock.now = 601
    assert recent.first("Ev1")
    assert count(shared, "events") == 1


def test_memory_is_bounded_whatever_comes() -> None:
    shared = Shared()
    recent = Recent("events", 600, shared, most=100)
    assert all(recent.first(f"Ev{number}") for number in range(1_000))
    assert count(shared, "events") == 100
    assert not recent.first("Ev999")


def test_what_one_process_has_seen_no_other_takes_for_new(tmp_path: Path) -> None:
    one, other = (signatures(shared=Shared(tmp_path)) for _ in range(2))
    one.check(BODY, headers())
    with pytest.raises(NotFromSlack, match="replay"):
        other.check(BODY, headers())


def count(shared: Shared, name: str) -> int:
    return int(shared.execute(f"SELECT count(*) FROM {name}")[0][0])
