"""Slack is on where it is set up, and says at start what is missing where it is half set up."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from tests.conftest import ROOT
from tests.web.slack.conftest import PUBLIC, settings
from tests.web.slack.standin import SECRET, TOKEN
from web import cli
from web.settings import Settings
from web.slack import setup
from web.slack.errors import Unconfigured
from web.slack.sending import http_client, web_client


def test_nothing_set_is_not_set_up() -> None:
    assert not setup.is_set_up(Settings.model_validate({}))
    assert setup.summary(Settings.model_validate({})) == "not set up"


def test_all_set_is_set_up_and_told_in_words() -> None:
    assert setup.is_set_up(settings())
    assert setup.summary(settings()) == (
        f"shows articles for everyone to every workspace with the app; footnotes lead to {PUBLIC}"
    )
    assert setup.summary(settings(slack_groups="platform security", slack_team="T0KB")) == (
        f"shows articles for everyone and for platform, security to workspace T0KB; footnotes lead to {PUBLIC}"
    )


@pytest.mark.parametrize(
    ("values", "missing"),
    [
        ({"slack_signing_secret": ""}, "FOOTNOTE_SLACK_SIGNING_SECRET"),
        ({"slack_signing_secret": "too short"}, "FOOTNOTE_SLACK_SIGNING_SECRET"),
        ({"slack_bot_token": ""}, "FOOTNOTE_SLACK_BOT_TOKEN"),
        ({"slack_bot_token": "xoxp-a-users-token"}, "FOOTNOTE_SLACK_BOT_TOKEN"),
        ({"public_url": ""}, "FOOTNOTE_PUBLIC_URL"),
    ],
)
def test_what_is_missing_is_named_with_what_to_do(values: dict[str, Any], missing: str) -> None:
    with pytest.raises(Unconfigured, match=missing) as caught:
        setup.is_set_up(settings(**values))
    assert SECRET not in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_the_server_does_not_start_half_set_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FOOTNOTE_SLACK_SIGNING_SECRET", SECRET)
    assert cli.main(["serve", "--port", "0", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)["error"]
    assert "FOOTNOTE_SLACK_BOT_TOKEN" in told
    assert "FOOTNOTE_PUBLIC_URL" in told
    assert SECRET not in told


def test_no_secret_is_told_by_the_settings(caplog: pytest.LogCaptureFixture) -> None:
    whole = settings()
    logging.getLogger("settings").warning("%s %r %s", whole, whole, whole.model_dump_json())
    for told in (caplog.text, str(whole), repr(whole), whole.model_dump_json()):
        assert SECRET not in told
        assert TOKEN not in told


def test_no_secret_is_told_when_another_setting_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FOOTNOTE_SLACK_SIGNING_SECRET", SECRET)
    monkeypatch.setenv("FOOTNOTE_SLACK_BOT_TOKEN", TOKEN)
    monkeypatch.setenv("FOOTNOTE_SLACK_TEAM", "not a team")
    with pytest.raises(ValidationError):
        Settings()
    assert cli.main(["serve", "--port", "0"]) == 2
    told = capsys.readouterr().err
    assert "FOOTNOTE_SLACK_TEAM" in told
    assert SECRET not in told
    assert TOKEN not in told


def test_a_server_without_slack_does_not_load_its_sdk() -> None:
    code = "import sys, web.app, web.commands.doctor, web.slack.setup; sys.exit('slack_sdk' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_a_proxy_is_the_one_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    proxy = "http://proxy.example:3128"
    assert web_client(TOKEN, proxy=proxy).proxy == proxy
    with http_client(proxy) as client:
        assert {pattern.pattern for pattern in client._mounts} == {"all://"}
