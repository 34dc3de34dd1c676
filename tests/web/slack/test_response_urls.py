"""Row S8: answers go to Slack's own host and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from tests.web.slack.standin import Slack
from web.slack.errors import NotSlack, Undelivered
from web.slack.messages import plain_message
from web.slack.sending import ResponseUrls, http_client, require_slack

GOOD = "https://hooks.slack.com/commands/T1DC2JH3J/397700885554/96rGlfmibIGlgcZRskXaIFfN"
PATH = "/commands/T1DC2JH3J/397700885554/96rGlfmibIGlgcZRskXaIFfN"

TRICKS = [
    "",
    "http://hooks.slack.com" + PATH,
    "HTTPS://hooks.slack.com" + PATH,
    "//hooks.slack.com" + PATH,
    "hooks.slack.com" + PATH,
    "ftp://hooks.slack.com" + PATH,
    "file:///etc/passwd",
    "gopher://hooks.slack.com:70" + PATH,
    "data:text/plain,https://hooks.slack.com" + PATH,
    "javascript:https://hooks.slack.com" + PATH,
    "https:hooks.slack.com" + PATH,
    "https:/hooks.slack.com" + PATH,
    "https:///hooks.slack.com" + PATH,
    "https:\\\\hooks.slack.com" + PATH,
    "https://hooks.slack.com",
    "https://hooks.slack.com/",
    "https://hooks.slack.com/elsewhere/T1/2/x",
    "https://hooks.slack.com//evil.example" + PATH,
    "https://hooks.slack.com/commands/../../evil",
    "https://hooks.slack.com/commands/%2e%2e/evil",
    "https://hooks.slack.com/commands/T1/2/x?next=https://evil.example",
    "https://hooks.slack.com/commands/T1/2/x#@evil.example",
    "https://hooks.slack.com:443" + PATH,
    "https://hooks.slack.com:8443" + PATH,
    "https://hooks.slack.com:" + PATH,
    "https://hooks.slack.com." + PATH,
    "https://HOOKS.slack.com" + PATH,
    "https://user@hooks.slack.com" + PATH,
    "https://user:pw@hooks.slack.com" + PATH,
    "https://hooks.slack.com@evil.example" + PATH,
    "https://hooks.slack.com:pw@evil.example" + PATH,
    "https://hooks.slack.com%40evil.example" + PATH,
    "https://hooks.slack.com\\@evil.example" + PATH,
    "https://evil.example\\hooks.slack.com" + PATH,
    "https://evil.example/https://hooks.slack.com" + PATH,
    "https://evil.example?https://hooks.slack.com" + PATH,
    "https://evil.example#https://hooks.slack.com" + PATH,
    "https://hooks.slack.com.evil.example" + PATH,
    "https://evilhooks.slack.com" + PATH,
    "https://hooks-slack.com" + PATH,
    "https://hooksXslack.com" + PATH,
    "https://hooks.slack.co" + PATH,
    "https://slack.com" + PATH,
    "https://files.slack.com" + PATH,
    "https://hооks.slack.com" + PATH,  # two letters are Cyrillic
    "https://hooks。slack。com" + PATH,
    "https://xn--hks-3ed.slack.com" + PATH,
    "https://hooks.slack.com\u200b" + PATH,
    "https://hooks.slack.com%00.evil.example" + PATH,
    "https://hooks.slack.com\x00.evil.example" + PATH,
    "https://hooks.slack.com\t.evil.example" + PATH,
    "https://hooks.slack.com\r\nHost: evil.example\r\n" + PATH,
    GOOD + "\n",
    "\n" + GOOD,
    " " + GOOD,
    GOOD + " ",
    "https://127.0.0.1" + PATH,
    "https://[::1]" + PATH,
    "https://2130706433" + PATH,
    "https://169.254.169.254/latest/meta-data",
    GOOD + "/a" * 400,
]


@pytest.fixture
def slack() -> Iterator[Slack]:
    standin = Slack()
    yield standin
    standin.close()


def no_sleep(seconds: float) -> None:
    pass


def test_the_addresses_that_slack_documents_are_answered_at() -> None:
    require_slack(GOOD)
    require_slack("https://hooks.slack.com/actions/T0KB/123/a-B_c")
    require_slack("https://hooks.slack.com/app/T0KB/123/abc")


@pytest.mark.parametrize("url", TRICKS)
def test_no_trick_passes_and_nothing_is_sent(url: str) -> None:
    def sent(request: httpx2.Request) -> httpx2.Response:
        raise AssertionError(f"sent to {request.url}")

    with httpx2.Client(transport=httpx2.MockTransport(sent)) as client, pytest.raises(NotSlack):
        ResponseUrls(client).send(url, plain_message("hello"))


def test_there_are_at_least_forty_tricks_and_each_is_another() -> None:
    assert len(set(TRICKS)) == len(TRICKS) >= 40


def test_a_redirect_is_not_followed(slack: Slack) -> None:
    slack.failures = [(307, {"location": f"{slack.address}/api/stolen"}, "")]
    with slack.http_client() as client, pytest.raises(Undelivered, match="307"):
        ResponseUrls(client).send(slack.response_url(), plain_message("hello"))
    assert (slack.requests, slack.sent) == (1, [])


def test_a_proxy_in_the_environment_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with http_client() as client:
        assert client._mounts == {}
        assert client.trust_env is False
        assert client.follow_redirects is False


@pytest.mark.parametrize(
    "failure",
    [(429, {"retry-after": "1"}, ""), (429, {}, ""), (500, {}, "<html>oops</html>"), (503, {}, "")],
    ids=["rate limited", "rate limited without a time", "failing", "down"],
)
def test_what_may_work_a_moment_later_is_tried_once_more(
    slack: Slack, failure: tuple[int, dict[str, str], str]
) -> None:
    slack.failures = [failure]
    with slack.http_client() as client:
        ResponseUrls(client, no_sleep).send(slack.response_url(), plain_message("hello"))
    assert slack.wait().payload["text"] == "hello"


@pytest.mark.parametrize(
    ("failures", "requests"),
    [
        ([(404, {}, "expired_url")], 1),
        ([(429, {"retry-after": "3600"}, "")], 1),
        ([(500, {}, ""), (500, {}, "")], 2),
        ([(302, {"location": "https://evil.example"}, "")], 1),
    ],
    ids=["expired", "an hour to wait", "failing", "moved"],
)
def test_what_will_not_work_is_given_up(
    slack: Slack, failures: list[tuple[int, dict[str, str], str]], requests: int
) -> None:
    slack.failures = failures
    with slack.http_client() as client, pytest.raises(Undelivered):
        ResponseUrls(client, no_sleep).send(slack.response_url(), plain_message("hello"))
    assert slack.requests == requests


def test_an_error_does_not_tell_the_address(slack: Slack) -> None:
    slack.close()
    url = slack.response_url()
    with slack.http_client() as client, pytest.raises(Undelivered) as caught:
        ResponseUrls(client, no_sleep).send(url, plain_message("hello"))
    assert "hooks.slack.com/" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
