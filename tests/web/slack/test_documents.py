"""What docs/slack.md and the manifest say is so."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from indexes.models.embedding import Embedder
from tests.conftest import ROOT
from tests.web.live_servers import served_from
from tests.web.slack.conftest import Workspace
from web.settings import Settings

PAGE = (ROOT / "docs" / "slack.md").read_text(encoding="utf-8")
MANIFEST = (ROOT / "docs" / "slack-manifest.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def address(kb_index: Path, embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served_from(kb_index, embedder, tmp_path_factory.mktemp("bots")) as address:
        yield address


def test_the_bot_in_python_prints_an_answer_its_sources_and_a_follow_up(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert len([line for line in example.splitlines() if line]) <= 10
    exec(compile(example.replace("http://127.0.0.1:8000", address), "docs/slack.md", "exec"), {})
    said = capsys.readouterr().out
    assert "[1] JWT Authentication" in said
    assert "revokes the whole token family" in said or "revoke every token of that family" in said


def test_the_curl_example_is_answered(address: str) -> None:
    (body,) = re.findall(r"-d '(\{.*\})'", PAGE)
    answer = httpx2.post(f"{address}/api/v1/ask", content=body, headers={"content-type": "application/json"}).json()
    assert answer["answered"] is True


def test_every_setting_that_is_named_exists() -> None:
    named = set(re.findall(r"FOOTNOTE_([A-Z_]+)", PAGE))
    assert {"SLACK_GROUPS", "SLACK_TEAM", "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"} <= named
    assert named <= {name.upper() for name in Settings.model_fields}


# The limits of Slack's schema of manifests, version 1: https://github.com/slackapi/manifest-schema


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(MANIFEST)
    return loaded


def test_the_manifest_is_one_that_slack_takes(manifest: dict[str, Any]) -> None:
    assert manifest.keys() == {"_metadata", "display_information", "features", "oauth_config", "settings"}
    assert manifest["_metadata"]["major_version"] == 1
    about = manifest["display_information"]
    assert 1 <= len(about["name"]) <= 35
    assert 1 <= len(about["description"]) <= 140
    (command,) = manifest["features"]["slash_commands"]
    assert command.keys() == {"command", "url", "description", "usage_hint", "should_escape"}
    assert re.fullmatch(r"/[a-z]{1,31}", command["command"])
    assert len(command["usage_hint"]) <= 1_000
    assert set(manifest["settings"]["event_subscriptions"]["bot_events"]) == {"app_mention", "message.im"}


def test_the_manifest_asks_for_no_more_than_is_used(manifest: dict[str, Any]) -> None:
    """app_mention needs app_mentions:read, message.im needs im:history, chat.postMessage chat:write, /ask commands."""
    scopes = manifest["oauth_config"]["scopes"]
    assert scopes == {"bot": ["app_mentions:read", "chat:write", "commands", "im:history"]}


def test_the_addresses_of_the_manifest_are_routes(manifest: dict[str, Any], workspace: Workspace) -> None:
    urls = re.findall(r"https://kb\.example(/\S+)", json.dumps(manifest).replace('"', " "))
    assert sorted(urls) == ["/slack/commands", "/slack/events", "/slack/interactions"]
    for url in urls:
        assert workspace.client.post(url).status_code == 401  # there, and not signed
