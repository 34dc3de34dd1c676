"""Slack shows the articles of its groups. Of others nothing is felt, whatever is asked or pressed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import TINY
from tests.web.slack.conftest import Served, Workspace
from tests.web.slack.standin import Sent

HIDDEN = {
    "runbook": "---\ntitle: The aardvark runbook\ntags: [aardvark, auth]\naudience: [sre]\n---\n"
    "The aardvark fails over when its red button is pressed. An access token of the aardvark lives for 90 days.\n",
    "zz-tokens": "---\ntitle: Rotating refresh tokens\ntags: [auth, tokens]\naudience: [sre]\n---\n"
    "A refresh token of an insider is exchanged once a year.\n",
}
QUESTIONS = (
    "How does the aardvark fail over?",
    "How long does an access token live?",
    "How are refresh tokens rotated?",
    "tag:aardvark How does it fail over?",
    "tag:aardvrk How does it fail over?",
    "tag:auth How do I retry a payment?",
    "Who presses the red button?",
    "hello",
)


@pytest.fixture(scope="module")
def indexes(indexed: Callable[..., Path]) -> tuple[Path, Path]:
    """An index with the hidden articles, and one without them."""
    return indexed(TINY | HIDDEN), indexed(TINY)


def everything(workspace: Workspace) -> list[str]:
    """What is sent after every question and every press, with ids and times left out."""
    before = len(workspace.slack.sent)

    def new() -> list[Sent]:
        workspace.settle()
        return workspace.slack.sent[before:]

    for question in QUESTIONS:
        for ask in (workspace.ask, workspace.mention):
            count = len(new())
            ask(question)
            (sent,) = new()[count:]
            for action in ("more", "share", "not_helpful"):
                if action in sent.buttons:
                    workspace.press(action, sent.buttons[action])
                    new()
    return [re.sub(r"[0-9a-f]{32}", "ID", str(sent.payload)) for sent in new()]


def shown(workspace: Workspace, question: str) -> Sent:
    before = len(workspace.slack.sent)
    workspace.ask(question)
    return workspace.slack.wait(before + 1)


def test_articles_of_other_groups_change_nothing_in_slack(serve: Served, indexes: tuple[Path, Path]) -> None:
    with_hidden, without = (everything(serve(index)) for index in indexes)
    normal = [re.sub(r"'thread_ts': '[\d.]+'", "", sent) for sent in with_hidden]
    assert normal == [re.sub(r"'thread_ts': '[\d.]+'", "", sent) for sent in without]
    assert len(normal) > 40
    assert not any("button is pressed" in sent for sent in normal)


def test_articles_of_slacks_groups_are_shown(serve: Served, indexes: tuple[Path, Path]) -> None:
    workspace = serve(indexes[0], slack_groups="platform sre")
    assert "The aardvark fails over when its red button is pressed." in shown(workspace, QUESTIONS[0]).shown
    answer = shown(workspace, QUESTIONS[3])
    assert "The aardvark runbook" in answer.shown
    workspace.press("share", answer.buttons["share"])
    workspace.settle()
    assert "The aardvark runbook" in workspace.slack.sent[-2].shown


@pytest.mark.parametrize("action", ["share", "more"])
def test_an_answer_from_articles_that_slack_may_no_longer_show_is_not_shown_again(
    serve: Served, indexes: tuple[Path, Path], action: str
) -> None:
    sent = shown(serve(indexes[0], slack_groups="sre"), QUESTIONS[0])
    workspace = serve(indexes[0])
    before = len(workspace.slack.sent)
    workspace.press(action, sent.buttons[action])
    told = workspace.slack.wait(before + 1)
    assert told.shown == "This answer is not kept any more: please ask again."
    assert told.payload["response_type"] == "ephemeral"
