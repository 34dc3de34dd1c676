"""Buttons that work: share, show more, helpful or not."""

from __future__ import annotations

import re

import pytest

from qa.journal.records import Feedback
from tests.conftest import Site
from tests.web.slack import schema, standin
from tests.web.slack.conftest import Served, Workspace
from tests.web.slack.standin import Sent
from web.rendering.answer_view import MISSING_TOPIC, REASONS

TOKENS = "How long does an access token live?"


def asked(workspace: Workspace, text: str = TOKENS) -> Sent:
    before = len(workspace.slack.sent)
    workspace.ask(text)
    return workspace.slack.wait(before + 1)


def mentioned(workspace: Workspace, text: str = TOKENS) -> Sent:
    before = len(workspace.slack.sent)
    workspace.mention(text)
    return workspace.slack.wait(before + 1)


def pressed(workspace: Workspace, sent: Sent, action: str, **options: object) -> Sent:
    """What comes first after a press of a button of a message."""
    before = len(workspace.slack.sent)
    response = workspace.press(action, sent.buttons[action], **options)
    assert (response.status_code, response.content) == (200, b"")
    return workspace.slack.wait(before + 1)


def feedback(workspace: Workspace, sent: Sent) -> Feedback | None:
    (answer_id, *_) = next(iter(sent.buttons.values())).split()
    return workspace.services.conversations.answer(answer_id).feedback


def test_buttons_carry_the_id_of_the_answer_alone(workspace: Workspace) -> None:
    sent = asked(workspace)
    assert sent.buttons.keys() == {"share", "more", "helpful", "not_helpful"}
    (answer_id,) = set(sent.buttons.values())
    assert re.fullmatch("[0-9a-f]{32}", answer_id)
    assert workspace.services.conversations.answer(answer_id).answer.question == TOKENS


def test_an_answer_is_shared_with_the_channel(workspace: Workspace) -> None:
    before = asked(workspace)
    shared = pressed(workspace, before, "share")
    assert (shared.payload["response_type"], shared.payload["replace_original"]) == ("in_channel", False)
    assert "An access token lives for 10 minutes." in shared.shown
    assert f"*{TOKENS}*" in shared.shown
    assert "Shared by <@U0ASKER>" in shared.shown
    assert schema.links(shared.shown) == schema.links(before.shown)
    assert "share" not in shared.buttons
    gone = workspace.slack.wait(3)
    assert gone.payload["delete_original"] is True


def test_a_double_click_shares_once(workspace: Workspace) -> None:
    sent = asked(workspace)
    for _ in range(3):
        assert workspace.press("share", sent.buttons["share"]).status_code == 200
    workspace.settle()
    assert [s.payload.get("response_type") for s in workspace.slack.sent].count("in_channel") == 1


def test_more_is_shown_in_place_of_the_answer(workspace: Workspace) -> None:
    sent = asked(workspace)
    more = pressed(workspace, sent, "more")
    assert (more.payload["response_type"], more.payload["replace_original"]) == ("ephemeral", True)
    assert sent.shown.partition("*Sources*")[0] in more.shown
    assert "*Further passages*" in more.shown
    assert "*Related articles*" in more.shown or len(schema.links(more.shown)) > len(schema.links(sent.shown))
    assert more.buttons.keys() == {"share", "helpful", "not_helpful"}


def test_more_in_a_thread_stays_in_the_thread(workspace: Workspace) -> None:
    more = pressed(workspace, mentioned(workspace), "more", ephemeral=False)
    assert (more.payload["response_type"], more.payload["replace_original"]) == ("in_channel", True)
    assert f"*{TOKENS}*" not in more.shown
    assert more.buttons.keys() == {"helpful", "not_helpful"}


def test_more_of_a_shared_answer_still_says_who_shared_it(workspace: Workspace) -> None:
    shared = pressed(workspace, asked(workspace), "share")
    workspace.slack.wait(3)
    more = pressed(workspace, shared, "more", ephemeral=False, user="U0OTHER")
    assert "Shared by <@U0ASKER>" in more.shown
    assert f"*{TOKENS}*" in more.shown


def test_more_beside_a_refusal_shows_what_was_nearest(workspace: Workspace) -> None:
    more = pressed(workspace, asked(workspace, "Who won the football championship in 1974?"), "more")
    assert "The knowledge base does not say." in more.shown
    assert "*Further passages*" in more.shown


def test_helpful_is_kept(workspace: Workspace) -> None:
    sent = asked(workspace)
    thanks = pressed(workspace, sent, "helpful")
    assert thanks.shown == "Thank you."
    assert thanks.payload["replace_original"] is False
    assert feedback(workspace, sent) == Feedback(True)


@pytest.mark.parametrize("number", range(len(REASONS)))
def test_not_helpful_is_kept_with_the_reason(workspace: Workspace, number: int) -> None:
    sent = mentioned(workspace)
    why = pressed(workspace, sent, "not_helpful", ephemeral=False)
    assert feedback(workspace, sent) == Feedback(False)
    assert (why.payload["response_type"], why.payload["replace_original"]) == ("ephemeral", False)
    thanks = pressed(workspace, why, f"reason_{number}")
    assert thanks.payload["replace_original"] is True
    assert "noted" in thanks.shown
    assert feedback(workspace, sent) == Feedback(False, REASONS[number])


def test_a_missing_topic_is_kept(workspace: Workspace) -> None:
    sent = asked(workspace, "Who won the football championship in 1974?")
    assert "noted" in pressed(workspace, sent, "missing").shown
    assert feedback(workspace, sent) == Feedback(False, MISSING_TOPIC)


@pytest.mark.parametrize("action", ["share", "more", "helpful", "not_helpful"])
def test_a_button_of_an_answer_that_is_gone_says_so_to_who_pressed_it(workspace: Workspace, action: str) -> None:
    sent = asked(workspace)
    kept = workspace.services.conversations.answer(sent.buttons["share"])
    workspace.services.conversations.delete(kept.conversation_id, "slack")
    told = pressed(workspace, sent, action)
    assert "not kept any more" in told.shown
    assert (told.payload["response_type"], told.payload["replace_original"]) == ("ephemeral", False)


@pytest.mark.parametrize(
    ("action", "value"),
    [
        ("share", "../../etc/passwd"),
        ("more", "abc <!channel>"),
        ("more", "x" * 3_000),
        ("reason_9", "ABC"),
        ("launch", "abc"),
        ("", ""),
    ],
)
def test_other_buttons_do_nothing(workspace: Workspace, action: str, value: str) -> None:
    assert workspace.press(action, value).status_code == 200
    workspace.settle()
    assert workspace.slack.sent == []


def test_buttons_work_after_a_restart(serve: Served) -> None:
    sent = asked(serve())
    assert "*Further passages*" in pressed(serve(), sent, "more").shown


def test_a_press_that_asks_for_an_answer_elsewhere_is_refused(workspace: Workspace) -> None:
    sent = asked(workspace)
    body = standin.press("share", sent.buttons["share"], "https://hooks.slack.com.evil.example/actions/T/1/x")
    assert workspace.send("interactions", body).status_code == 400
    assert len(workspace.slack.sent) == 1


CHANGED = "The articles behind this answer have changed since it was given: please ask again."


@pytest.mark.parametrize("action", ["share", "more"])
def test_an_answer_whose_article_changed_is_not_shown_again(serve: Served, site: Site, action: str) -> None:
    workspace = serve(site.index)
    sent = asked(workspace)
    article = site.source / "tokens.md"
    article.write_text(article.read_text(encoding="utf-8").replace("10 minutes", "5 minutes"), encoding="utf-8")
    site.ingest()
    assert pressed(workspace, sent, action).shown == CHANGED


def test_a_footnote_follows_its_words_through_the_article(serve: Served, site: Site) -> None:
    workspace = serve(site.index)
    sent = asked(workspace)
    article = site.source / "tokens.md"
    article.write_text(
        article.read_text(encoding="utf-8").replace("A refresh", "Hear, hear. A refresh"), encoding="utf-8"
    )
    site.ingest()
    shared = pressed(workspace, sent, "share")
    (was, *_), (now, *_) = schema.links(sent.shown), schema.links(shared.shown)
    assert was[0].replace("cite=0-103", "cite=12-115") == now[0]


def test_nobody_who_shares_at_a_busy_time_has_to_wait_to_try_again(workspace: Workspace) -> None:
    sent = asked(workspace)
    worker = workspace.client.app.state.slack.worker  # type: ignore[attr-defined]
    offer, worker.offer = worker.offer, lambda job: False
    assert "So many questions" in pressed(workspace, sent, "share").shown
    worker.offer = offer
    assert pressed(workspace, sent, "share").payload["response_type"] == "in_channel"
