"""Slack's own client, unmodified, against a Web API that has bad days."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.web.slack.standin import CHANNEL, TOKEN, Slack
from web.slack.errors import Undelivered
from web.slack.messages import plain_message
from web.slack.sending import Channels, web_client

THREAD = "1700000000.000100"


@pytest.fixture
def slack() -> Iterator[Slack]:
    standin = Slack()
    yield standin
    standin.close()


def channels(slack: Slack, token: str = TOKEN) -> Channels:
    return Channels(web_client(token, f"{slack.address}/api/"))


def test_a_message_is_posted_into_its_thread_and_unfurls_nothing(slack: Slack) -> None:
    channels(slack).post(CHANNEL, THREAD, plain_message("a < b"))
    sent = slack.wait()
    assert sent.payload["thread_ts"] == THREAD
    assert sent.payload["text"] == "a &lt; b"
    assert [sent.payload[name] for name in ("unfurl_links", "unfurl_media", "link_names")] == [False, False, False]
    assert sent.payload["parse"] == "none"


@pytest.mark.parametrize(
    "failure", [(429, {"retry-after": "0"}, "ratelimited"), (500, {}, "oops"), (503, {}, "<html>down</html>")]
)
def test_what_may_work_a_moment_later_is_tried_once_more(
    slack: Slack, failure: tuple[int, dict[str, str], str]
) -> None:
    slack.failures = [failure]
    channels(slack).post(CHANNEL, THREAD, plain_message("hello"))
    assert (slack.wait().payload["text"], slack.requests) == ("hello", 2)


JSON = {"content-type": "application/json"}
BAD_DAYS = {
    "an hour to wait": (429, {"retry-after": "3600"}, "ratelimited"),
    "a time that is none": (429, {"retry-after": "soon"}, "ratelimited"),
    "token revoked": (200, JSON, '{"ok": false, "error": "token_revoked"}'),
    "channel gone": (200, JSON, '{"ok": false, "error": "channel_not_found"}'),
    "not JSON": (200, JSON, '{"ok": tru'),
    "a page": (200, {"content-type": "text/html"}, "<html>maintenance</html>"),
    "a page with a status": (404, {"content-type": "text/html"}, "<html>gone</html>"),
    "a list": (200, JSON, "[]"),
    "nothing": (200, JSON, ""),
    "no answer to whether it is ok": (200, JSON, "{}"),
    "an error that is no word": (200, JSON, '{"ok": false, "error": {"xoxb": 1}}'),
    "bytes": (200, {"content-type": "application/json; charset=nonesuch"}, "é"),
}


@pytest.mark.parametrize("failure", BAD_DAYS.values(), ids=BAD_DAYS.keys())
def test_whatever_slack_answers_is_one_error_that_tells_no_secret(
    slack: Slack, failure: tuple[int, dict[str, str], str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    slack.failures = [failure]
    with pytest.raises(Undelivered) as caught:
        channels(slack).post(CHANNEL, THREAD, plain_message("a private question"))
    told = f"{caught.value} {caplog.text}"
    assert TOKEN not in told
    assert "private" not in told
    assert caught.value.__suppress_context__


def test_what_an_admin_can_do_about_it_is_said(slack: Slack) -> None:
    with pytest.raises(Undelivered, match=r"\(invalid_auth\): FOOTNOTE_SLACK_BOT_TOKEN is wrong"):
        channels(slack, "xoxb-wrong").post(CHANNEL, THREAD, plain_message("hello"))


def test_a_slack_that_is_not_there_is_one_error_too(slack: Slack) -> None:
    slack.close()
    with pytest.raises(Undelivered, match="could not be reached"):
        channels(slack).post(CHANNEL, THREAD, plain_message("hello"))


def test_the_standin_refuses_what_slack_refuses(slack: Slack) -> None:
    client = web_client(TOKEN, f"{slack.address}/api/")
    for blocks in (
        [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_001}}],
        [{"type": "section", "text": {"type": "mrkdwn", "text": ""}}],
        [{"type": "divider"}] * 51,
        [{"type": "table"}],
        [{"type": "section", "text": {"type": "mrkdwn", "text": "<!channel>"}}],
        [
            {
                "type": "actions",
                "elements": [{"type": "button", "action_id": "a", "text": {"type": "mrkdwn", "text": "x"}}],
            }
        ],
    ):
        slack.failures = []
        answer = client.api_call  # the SDK raises on "ok": false
        with pytest.raises(Exception, match="invalid_blocks"):
            answer("chat.postMessage", json={"channel": CHANNEL, "text": "x", "blocks": blocks})
    assert slack.sent == []
