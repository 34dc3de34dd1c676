"""Mentions and direct messages, answered in their thread, which is a conversation."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.web.slack import schema, standin
from tests.web.slack.conftest import Served, Workspace
from tests.web.slack.standin import BOT, CHANNEL, DIRECT, Sent

TOKENS = "How long does an access token live?"
THREAD = "1699999999.000200"


def answered(workspace: Workspace, text: str, **fields: Any) -> Sent:
    """What is posted after a mention."""
    before = len(workspace.slack.sent)
    assert workspace.mention(text, **fields).status_code == 200
    return workspace.slack.wait(before + 1)


def posted_after(workspace: Workspace, *bodies: bytes) -> list[str]:
    """What is posted after events."""
    for body in bodies:
        assert workspace.send("events", body).status_code == 200
    workspace.settle()
    return [sent.shown for sent in workspace.slack.sent]


def test_slack_finds_out_that_the_address_is_ours(workspace: Workspace) -> None:
    body = json.dumps({"type": "url_verification", "token": "x", "challenge": "3eZbrw1aB10"}).encode()
    assert workspace.send("events", body).json() == {"challenge": "3eZbrw1aB10"}
    assert workspace.client.post("/slack/events", content=body).status_code == 401


def test_a_mention_is_answered_in_its_thread(workspace: Workspace) -> None:
    sent = answered(workspace, TOKENS, ts=THREAD)
    assert (sent.address, sent.payload["thread_ts"]) == (CHANNEL, THREAD)
    assert "An access token lives for 10 minutes." in sent.shown
    assert f"*{TOKENS}*" not in sent.shown  # it stands above, in the channel
    assert sent.buttons.keys() == {"more", "helpful", "not_helpful"}
    assert schema.links(sent.shown)


def test_a_direct_message_is_answered_in_its_thread(workspace: Workspace) -> None:
    assert workspace.write(TOKENS, ts=THREAD).status_code == 200
    sent = workspace.slack.wait()
    assert (sent.address, sent.payload["thread_ts"]) == (DIRECT, THREAD)
    assert "An access token lives for 10 minutes." in sent.shown


def test_a_thread_is_a_conversation(workspace: Workspace) -> None:
    answered(workspace, "How are refresh tokens rotated?", ts=THREAD)
    follow_up = answered(workspace, "And when one is presented twice?", thread_ts=THREAD, user="U0OTHER")
    assert follow_up.payload["thread_ts"] == THREAD
    assert "revoke the whole token family" in follow_up.shown


def test_another_thread_is_another_conversation(workspace: Workspace) -> None:
    answered(workspace, "How are refresh tokens rotated?", ts=THREAD)
    events = workspace.client.app.state.slack.events  # type: ignore[attr-defined]
    conversation = events.conversation_id(standin.TEAM, CHANNEL, THREAD)
    assert len(workspace.services.conversations.records(conversation, "slack")) == 1
    places = [
        (standin.TEAM, CHANNEL, "1699999999.000300"),
        (standin.TEAM, DIRECT, THREAD),
        ("T0OTHER", CHANNEL, THREAD),
    ]
    assert conversation not in {events.conversation_id(*place) for place in places}


def test_a_conversation_goes_on_after_a_restart(serve: Served) -> None:
    answered(serve(), "How are refresh tokens rotated?", ts=THREAD)
    follow_up = answered(serve(), "And when one is presented twice?", thread_ts=THREAD)
    assert "revoke the whole token family" in follow_up.shown


def test_a_conversation_that_was_deleted_begins_anew(workspace: Workspace) -> None:
    answered(workspace, "How are refresh tokens rotated?", ts=THREAD)
    events = workspace.client.app.state.slack.events  # type: ignore[attr-defined]
    workspace.services.conversations.delete(events.conversation_id(standin.TEAM, CHANNEL, THREAD), "slack")
    assert "An access token lives for 10 minutes." in answered(workspace, TOKENS, thread_ts=THREAD).shown


def test_what_is_asked_in_slack_is_nobodys_on_the_pages(workspace: Workspace) -> None:
    answered(workspace, TOKENS, ts=THREAD)
    events = workspace.client.app.state.slack.events  # type: ignore[attr-defined]
    conversation = events.conversation_id(standin.TEAM, CHANNEL, THREAD)
    assert workspace.client.get(f"/api/v1/conversations/{conversation}").status_code == 404


def test_a_tag_keeps_to_its_articles(workspace: Workspace) -> None:
    shown = answered(workspace, "tag:observability what goes into every line?").shown
    assert {url.partition("?")[0] for url, _ in schema.links(shown)} == {"https://kb.example/articles/logging"}
    assert "Did you mean “observability”?" in answered(workspace, "tag:observabilty why?").shown


@pytest.mark.parametrize("text", ["", "help"])
def test_a_bare_mention_gets_help(workspace: Workspace, text: str) -> None:
    assert "/ask What happens when a refresh token is used twice?" in answered(workspace, text).shown


def test_slacks_markup_is_read_as_people_read_it(workspace: Workspace) -> None:
    answered(workspace, "how long, <@U0OTHER>, does an <https://x.example|access token> live &amp; <#C1|general>?")
    assert _last_question(workspace) == "how long, @someone, does an access token live & #general?"


def _last_question(workspace: Workspace) -> str:
    return workspace.services.journal.answers.asked_since(datetime(2020, 1, 1, tzinfo=UTC))[-1].question


# Once, and never in a circle


def test_a_retry_is_acknowledged_and_not_answered_again(workspace: Workspace) -> None:
    for number in range(4):
        headers = {"x-slack-retry-num": str(number), "x-slack-retry-reason": "http_timeout"} if number else {}
        body = standin.event("app_mention", f"<@{BOT}> {TOKENS}", event_id="Ev0RETRIED", ts=THREAD, try_=number)
        assert workspace.send("events", body, **headers).status_code == 200
    workspace.settle()
    assert len(workspace.slack.sent) == 1


def test_a_message_that_is_two_events_is_answered_once(workspace: Workspace) -> None:
    message = standin.event("message", f"<@{BOT}> {TOKENS}", channel=DIRECT, ts=THREAD)
    mention = standin.event("app_mention", f"<@{BOT}> {TOKENS}", channel=DIRECT, ts=THREAD)
    assert len(posted_after(workspace, message, mention)) == 1


NOT_ASKED = {
    "the bot itself": standin.event("message", TOKENS, channel=DIRECT, user=BOT),
    "the bot itself, by its app": standin.event("message", TOKENS, channel=DIRECT, bot_id="B1", user="U0X"),
    "another bot": standin.event("app_mention", TOKENS, bot_id="B0OTHER", subtype="bot_message"),
    "another app on behalf of somebody": standin.event(
        "app_mention", TOKENS, app_id="A0OTHER", bot_profile={"id": "B1"}
    ),
    "an edit": standin.event("message", TOKENS, channel=DIRECT, subtype="message_changed", message={"text": TOKENS}),
    "a mention edited into a message": standin.event("app_mention", TOKENS, edited={"user": "U0ASKER", "ts": "1.0"}),
    "a deletion": standin.event("message", "", channel=DIRECT, subtype="message_deleted", hidden=True),
    "a join": standin.event("message", "has joined", channel=DIRECT, subtype="channel_join"),
    "nobody": standin.event("message", TOKENS, channel=DIRECT, user=None),
    "a message in a channel": standin.event("message", TOKENS, channel_type="channel"),
    "a reaction": standin.event("reaction_added", TOKENS),
    "no event": json.dumps({"type": "event_callback", "team_id": standin.TEAM, "event_id": "Ev0X"}).encode(),
    "an event that is a list": json.dumps({"type": "event_callback", "event": [], "event_id": "Ev0Y"}).encode(),
    "numbers for names": standin.event("app_mention", TOKENS, ts=7.5, user={"id": 7}, thread_ts=[]),
    "another kind of callback": json.dumps({"type": "app_rate_limited", "team_id": standin.TEAM}).encode(),
}


@pytest.mark.parametrize("body", NOT_ASKED.values(), ids=NOT_ASKED.keys())
def test_what_no_person_asked_is_not_answered(workspace: Workspace, body: bytes) -> None:
    assert posted_after(workspace, body) == []


def test_an_unpaired_surrogate_is_no_reason_to_fail(workspace: Workspace) -> None:
    body = standin.event("app_mention", f"<@{BOT}> {TOKENS}").replace(b"live?", b"live\\ud800 \\u0000?")
    assert workspace.send("events", body).status_code == 200
    assert "An access token lives for 10 minutes." in workspace.slack.wait().shown


def test_a_channel_shared_with_another_organisation_gets_no_answer(workspace: Workspace) -> None:
    body = json.loads(standin.event("app_mention", TOKENS)) | {"is_ext_shared_channel": True}
    assert workspace.send("events", json.dumps(body).encode()).status_code == 200
    shown = workspace.slack.wait().shown
    assert "shared with other organisations" in shown
    assert "10 minutes" not in shown


def test_a_channel_the_bot_cannot_post_in_breaks_nothing(workspace: Workspace) -> None:
    assert workspace.mention(TOKENS, channel="C0GONE").status_code == 200
    assert answered(workspace, TOKENS).address == CHANNEL


def test_the_long_answer_of_a_hard_article_is_taken_by_slack(workspace: Workspace) -> None:
    for question in ("Tell me everything about retries", "table of statuses to retry", "kubectl roll back command"):
        answered(workspace, question)
    assert workspace.slack.refused == []
