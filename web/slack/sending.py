"""Sends messages to Slack, and to nobody else."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from http.client import HTTPException
from typing import Any, Literal, TypeAlias

import httpx2
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry import ConnectionErrorRetryHandler, HttpRequest, HttpResponse, RetryHandler, RetryState
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler, ServerErrorRetryHandler
from slack_sdk.web import WebClient

from web.slack.errors import NotSlack, Undelivered
from web.slack.messages import Message

log = logging.getLogger(__name__)

ResponseType: TypeAlias = Literal["ephemeral", "in_channel"]

# The one host that Slack documents for a response_url, spelled as Slack spells it. Anything that does not match
# exactly (another case, a port, a user, a query, an escape) is not Slack's:
# https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
_RESPONSE_URL = re.compile(r"https://hooks\.slack\.com/(?:commands|actions|app|services)(?:/[A-Za-z0-9_-]+){1,6}")
_LONGEST_URL = 500
_TIMEOUT = 5.0  # seconds
_LONGEST_WAIT = 30  # seconds that Slack may ask to wait before a retry; beyond that the message is dropped


def http_client(proxy: str = "") -> httpx2.Client:
    """A client for response_urls, which follows no redirects and ignores proxies of the environment."""
    return httpx2.Client(timeout=_TIMEOUT, follow_redirects=False, trust_env=False, proxy=proxy or None)


def web_client(token: str, base_url: str = WebClient.BASE_URL, proxy: str = "") -> WebClient:
    """Slack's own client, retrying what may succeed later."""
    quiet = logging.getLogger(f"{__name__}.api")
    quiet.setLevel(logging.CRITICAL)  # it logs what it sends; we log errors without that
    retries: list[RetryHandler] = [ConnectionErrorRetryHandler(), ServerErrorRetryHandler(), _BoundedRateLimitRetry()]
    timeout = int(_TIMEOUT)
    return WebClient(token, base_url, timeout, proxy=proxy or None, logger=quiet, retry_handlers=retries)


class ResponseUrls:
    """Replies at the address that came with a command or button press."""

    def __init__(self, client: httpx2.Client, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._sleep = sleep

    def send(
        self,
        url: str,
        message: Message,
        *,
        response_type: ResponseType = "ephemeral",
        replace: bool | None = None,
        delete: bool = False,
        thread: str = "",
    ) -> None:
        """Sends to the asker or the channel, in a thread or not, replacing the pressed message or beside it.

        Raises NotSlack, Undelivered.
        """
        require_slack(url)
        payload: dict[str, Any] = {"response_type": response_type, **message.payload()}
        options = {"replace_original": replace, "delete_original": delete or None, "thread_ts": thread or None}
        payload |= {name: value for name, value in options.items() if value is not None}
        response = self._post(url, payload)
        if _may_retry(response):
            self._sleep(min(_seconds(response.headers.get("retry-after")), _LONGEST_WAIT))
            response = self._post(url, payload)
        if response.status_code != httpx2.codes.OK:
            raise Undelivered(f"Slack's response_url answered {response.status_code} ({_code(response.text)})")

    def _post(self, url: str, payload: dict[str, Any]) -> httpx2.Response:
        try:
            return self._client.post(url, json=payload)
        except httpx2.HTTPError as error:  # its text may contain the address, which is a secret
            raise Undelivered(f"Slack's response_url could not be reached ({type(error).__name__})") from None


class Channels:
    """Posts as the bot."""

    def __init__(self, client: WebClient) -> None:
        self._client = client

    def post(self, channel: str, thread: str, message: Message) -> None:
        """Posts in a thread of a channel or direct message. Raises Undelivered."""
        payload = {"channel": channel, "thread_ts": thread, "parse": "none", "link_names": False, **message.payload()}
        try:
            self._client.api_call("chat.postMessage", json=payload)
        except SlackApiError as error:
            raise Undelivered(f"Slack refused a message ({_error_of(error)}){_advice(error)}") from None
        # The SDK passes on errors of urllib and json when the connection breaks or something other than Slack answers.
        except (SlackClientError, OSError, HTTPException, LookupError, ValueError) as error:
            raise Undelivered(f"Slack's Web API could not be reached ({type(error).__name__})") from None


def require_slack(url: str) -> None:
    """Raises NotSlack unless the address is a response_url of Slack's."""
    if len(url) > _LONGEST_URL or not _RESPONSE_URL.fullmatch(url):
        raise NotSlack("A response_url that is not Slack's was refused.")


_ADVICE = {
    "invalid_auth": "FOOTNOTE_SLACK_BOT_TOKEN is wrong",
    "token_revoked": "the app was removed from the workspace: install it again and set FOOTNOTE_SLACK_BOT_TOKEN anew",
    "account_inactive": "the app was removed from the workspace: install it again",
    "missing_scope": "install the app again from docs/slack-manifest.yaml",
    "not_in_channel": "invite the bot into the channel",
}


def _error_of(error: SlackApiError) -> str:
    data = error.response.data if hasattr(error.response, "data") else error.response
    code = data.get("error", "") if isinstance(data, dict) else ""
    return _code(str(code)) or f"HTTP {getattr(error.response, 'status_code', '?')}"


def _advice(error: SlackApiError) -> str:
    advice = _ADVICE.get(_error_of(error))
    return f": {advice}" if advice else ""


def _code(text: str) -> str:
    """The text if it has the form of an error code of Slack's, else "": anything else is not logged."""
    return text if re.fullmatch(r"[a-z_]{1,60}", text) else ""


def _may_retry(response: httpx2.Response) -> bool:
    if response.status_code == httpx2.codes.TOO_MANY_REQUESTS:
        return _seconds(response.headers.get("retry-after")) <= _LONGEST_WAIT
    return response.status_code >= httpx2.codes.INTERNAL_SERVER_ERROR


def _seconds(retry_after: str | None) -> float:
    """The header in seconds; 1, the usual value, if it is not a number."""
    return float(retry_after) if retry_after and re.fullmatch(r"[0-9]{1,6}", retry_after) else 1.0


class _BoundedRateLimitRetry(RateLimitErrorRetryHandler):
    """Retries after the time Slack asks for, unless that is longer than anybody waits for an answer."""

    def _can_retry(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        if response is None or response.status_code != httpx2.codes.TOO_MANY_REQUESTS:
            return False
        waits = [values[0] for name, values in response.headers.items() if name.lower() == "retry-after" and values]
        return all(re.fullmatch(r"[0-9]{1,6}", wait) and int(wait) <= _LONGEST_WAIT for wait in waits)
