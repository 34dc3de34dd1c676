"""Neither what is asked in Slack nor the secrets of the app get into the log, whatever goes wrong."""

from __future__ import annotations

import io

import pytest

from tests.web.slack.conftest import Workspace
from tests.web.slack.standin import SECRET, TOKEN

CANARY = "canary-7d1f"


FAILURES: list[list[tuple[int, dict[str, str], str]]] = [
    [],
    [(500, {}, CANARY)] * 8,
    [(200, {}, '{"ok": false, "error": "invalid_auth"}')] * 8,
    [(200, {}, "<")] * 8,
]


@pytest.mark.parametrize("failures", FAILURES)
def test_nothing_of_a_question_and_no_secret_is_logged(
    workspace: Workspace, log: io.StringIO, failures: list[tuple[int, dict[str, str], str]]
) -> None:
    workspace.slack.failures += failures
    workspace.ask(f"How long does an access token live, {CANARY}?")
    workspace.mention(f"{CANARY}?")
    workspace.write(f"And {CANARY}?")
    workspace.press("unhelpful", CANARY)
    workspace.settle()
    refused = workspace.client.post(
        "/slack/commands",
        content=f"text={CANARY}",
        headers={"x-slack-signature": f"v0={CANARY}", "x-slack-request-timestamp": CANARY},
    )
    assert refused.status_code == 401
    assert CANARY not in refused.text
    said = log.getvalue()
    assert "was refused" in said
    assert ("could not" in said or "refused a message" in said or "response_url" in said) is bool(failures)
    for secret in (CANARY, SECRET, TOKEN):
        assert secret not in said
