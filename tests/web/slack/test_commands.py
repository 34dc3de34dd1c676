"""`/ask` from Slack's request to what its user sees."""

from __future__ import annotations

import re

import pytest

from tests.conftest import Site
from tests.web.slack import schema, standin
from tests.web.slack.conftest import PUBLIC, Served, Workspace
from tests.web.slack.standin import Sent

TOKENS = "How long does an access token live?"


def asked(workspace: Workspace, text: str) -> Sent:
    """What the asker of `/ask text` gets to see."""
    before = len(workspace.slack.sent)
    response = workspace.ask(text)
    assert (response.status_code, response.content) == (200, b"")
    return workspace.slack.wait(before + 1)


def test_an_answer_comes_to_the_asker_alone_with_links_to_what_it_quotes(workspace: Workspace) -> None:
    sent = asked(workspace, TOKENS)
    assert sent.address.startswith("https://hooks.slack.com/commands/")
    assert sent.payload["response_type"] == "ephemeral"
    assert f"*{TOKENS}*" in sent.shown
    assert "An access token lives for 10 minutes." in sent.shown
    above, mark, *_ = schema.links(sent.shown)
    assert (above[1], mark[1]) == ("Rotating refresh tokens", "[1]")
    assert above[0] == mark[0]
    assert re.fullmatch(rf"{PUBLIC}/articles/tokens\?cite=\d+-\d+#cited", mark[0])
    assert "Confidence " in sent.shown
    assert "*Sources*" in sent.shown
    assert "Rotating refresh tokens (2026-03-30)" in sent.shown
    assert sent.payload["text"].startswith("A refresh token") or "An access token lives" in sent.payload["text"]


def test_every_link_leads_to_the_words_that_are_quoted(workspace: Workspace, tiny_site: Site) -> None:
    for question in (TOKENS, "What settings keep sessions alive for 30 days?", "How do I retry a payment?"):
        for url, _ in schema.links(asked(workspace, question).shown):
            path, start, end = re.fullmatch(rf"{PUBLIC}(/articles/.*)\?cite=(\d+)-(\d+)#cited", url).groups()  # type: ignore[union-attr]
            markdown = tiny_site.client.get(f"/api/v1{path}").json()["markdown"]
            page = tiny_site.client.get(f"{path}?cite={start}-{end}").text
            assert markdown[int(start) : int(end)].strip()
            assert 'id="cited"' in page


def test_code_and_lists_are_shown_as_such(workspace: Workspace) -> None:
    assert "```\nrefresh_ttl: 30d\naccess_ttl: 10m\n```" in asked(workspace, "What settings keep sessions alive?").shown
    steps = asked(workspace, "Which steps retry a payment?").shown
    assert "1. Create an idempotency key for the payment.\n2. Send the key with every attempt." in steps


def test_a_question_the_articles_do_not_answer_gets_the_nearest_articles(workspace: Workspace) -> None:
    sent = asked(workspace, "Who won the football championship in 1974?")
    assert "The knowledge base does not say." in sent.shown
    links = schema.links(sent.shown)
    assert links
    assert all(re.fullmatch(rf"{PUBLIC}/articles/[\w/-]+(\?cite=\d+-\d+#cited)?", url) for url, _ in links)
    assert "*Sources*" not in sent.shown
    assert sent.buttons.keys() == {"share", "more", "missing"}


def test_a_greeting_is_returned_without_buttons(workspace: Workspace) -> None:
    sent = asked(workspace, "hello")
    assert sent.shown == "*hello*\nHello. Ask me a question: I answer from 5 articles and cite every sentence."
    assert sent.buttons == {}


@pytest.mark.parametrize("text", ["", "  ", "help", "HELP", "help?"])
def test_help_is_shown_at_once(workspace: Workspace, text: str) -> None:
    response = workspace.ask(text, command="/kb")
    shown = response.json()
    assert schema.problems(shown) == []
    assert shown["response_type"] == "ephemeral"
    assert "• `/kb tag:kubernetes How do I roll back?` keeps to" in shown["text"]
    assert schema.misread(shown["text"]) == []
    assert workspace.slack.requests == 0


@pytest.mark.parametrize(
    "text", ["tag:observability {}", "{} tag:observability", 'tag:"observability" {}', "TAG:“Observability” {}"]
)
def test_a_tag_keeps_to_its_articles(workspace: Workspace, text: str) -> None:
    sent = asked(workspace, text.format("What goes into every line?"))
    assert {url.partition("?")[0] for url, _ in schema.links(sent.shown)} == {f"{PUBLIC}/articles/logging"}
    assert "*What goes into every line?*" in sent.shown


def test_an_unknown_tag_is_told_with_those_near(workspace: Workspace) -> None:
    sent = asked(workspace, "tag:observabilty What goes into every line?")
    assert "No article carries the tag “observabilty”. Did you mean “observability”?" in sent.shown


def test_a_tag_without_a_question_and_a_question_without_end_are_told_at_once(workspace: Workspace) -> None:
    assert "a tag without a question" in workspace.ask("tag:auth").json()["text"]
    assert "too long" in workspace.ask("why " * 1_200).json()["text"]
    assert "At most 20 tags" in workspace.ask(" ".join(f"tag:t{n}" for n in range(21)) + " why?").json()["text"]


def test_a_question_mentions_nobody_when_it_is_shown(workspace: Workspace) -> None:
    sent = asked(workspace, "<!channel> <@U0OTHER> & <script> *what* `is` an access token & how long does it live?")
    assert schema.mentions(sent.shown) == []
    assert "@channel" in sent.shown
    assert "&lt;script&gt;" not in sent.shown  # Slack escapes what is typed, so this is markup of its own
    assert "&amp;" in sent.shown


def test_slacks_check_of_the_certificate_is_answered(workspace: Workspace) -> None:
    assert workspace.client.get("/slack/commands?ssl_check=1").status_code == 200
    assert workspace.ask("x", ssl_check="1").content == b""


def test_nothing_is_unfurled(workspace: Workspace) -> None:
    payload = asked(workspace, TOKENS).payload
    assert (payload["unfurl_links"], payload["unfurl_media"]) == (False, False)


def test_every_text_keeps_slack_from_linking_what_it_likes(workspace: Workspace) -> None:
    for block in asked(workspace, TOKENS).payload["blocks"]:
        for text in [block.get("text"), *block.get("elements", [])]:
            assert text is None or text.get("type") != "mrkdwn" or text["verbatim"] is True


# Who may ask


def test_what_slack_did_not_sign_is_refused(workspace: Workspace) -> None:
    body = standin.command(TOKENS, workspace.slack.response_url())
    for path in ("commands", "events", "interactions"):
        for headers in ({}, standin.signed(body, "guessed"), standin.signed(body, timestamp="1500000000")):
            response = workspace.client.post(f"/slack/{path}", content=body, headers=headers)
            assert response.status_code == 401
            assert response.headers["content-type"] == "application/problem+json"
            assert standin.SECRET not in response.text
    assert workspace.slack.requests == 0


def test_a_request_sent_again_is_refused(workspace: Workspace) -> None:
    body = standin.command(TOKENS, workspace.slack.response_url())
    headers = standin.signed(body)
    assert workspace.client.post("/slack/commands", content=body, headers=headers).status_code == 200
    assert workspace.client.post("/slack/commands", content=body, headers=headers).status_code == 401
    workspace.slack.wait()


def test_an_answer_is_sent_to_slack_alone(workspace: Workspace) -> None:
    body = standin.command(TOKENS, "https://hooks.slack.com.evil.example/commands/T/1/x")
    assert workspace.send("commands", body).status_code == 400
    assert workspace.slack.requests == 0


def test_one_workspace_may_be_the_only_one_that_asks(serve: Served) -> None:
    workspace = serve(slack_team="T0OTHER")
    assert workspace.ask(TOKENS).json()["text"] == "This workspace may not ask here."
    assert workspace.mention(TOKENS).content == b""
    assert workspace.press("helpful", "abc").content == b""
    workspace.settle()
    assert workspace.slack.requests == 0
    assert "10 minutes" in asked(serve(slack_team=standin.TEAM), TOKENS).shown


@pytest.mark.parametrize("path", ["commands", "events", "interactions"])
def test_where_slack_is_not_set_up_its_routes_say_how(tiny_site: Site, path: str) -> None:
    response = tiny_site.client.post(f"/slack/{path}", content=b"{}")
    assert response.status_code == 404
    assert "FOOTNOTE_SLACK_SIGNING_SECRET" in response.json()["detail"]


@pytest.mark.parametrize("body", [b"", b"\xff", b"a=1&" * 200, b"text=%FF%00&response_url=%00", b"[" * 50_000])
@pytest.mark.parametrize("path", ["commands", "events", "interactions"])
def test_rubbish_that_slack_signed_breaks_nothing(workspace: Workspace, path: str, body: bytes) -> None:
    assert workspace.send(path, body).status_code in (200, 400, 401)
    asked(workspace, TOKENS)
