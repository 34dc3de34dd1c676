"""Streams, feedback and conversations for programs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Site

TOKENS = "How long does an access token live?"


def streamed(site: Site, body: dict[str, Any], query: str = "") -> list[tuple[str, Any]]:
    response = site.client.post(f"/api/v1/ask/stream{query}", json=body)
    assert response.headers["content-type"].startswith("text/event-stream")
    events = [
        dict(line.split(": ", 1) for line in block.splitlines()) for block in response.text.split("\n\n") if block
    ]
    return [(event["event"], json.loads(event["data"])) for event in events]


def test_a_stream_tells_its_sources_then_the_text_then_the_whole_answer(tiny_site: Site) -> None:
    events = streamed(tiny_site, {"question": TOKENS})
    names = [name for name, _ in events]
    assert names == ["sources", *["token"] * (len(names) - 2), "answer"]
    assert events[0][1]["passages"][0]["article_id"] == "tokens"
    whole = events[-1][1]
    assert "".join(data["text"] for name, data in events if name == "token") == whole["text"]
    asked = tiny_site.client.post("/api/v1/ask", json={"question": TOKENS}).json()
    assert whole.keys() == asked.keys()
    assert [whole[key] for key in ("text", "citations", "answered")] == [
        asked[key] for key in ("text", "citations", "answered")
    ]


def test_every_piece_of_a_stream_ends_with_its_mark(tiny_site: Site) -> None:
    events = streamed(tiny_site, {"question": "How do I retry a payment?"})
    pieces = [data["text"] for name, data in events if name == "token"]
    assert pieces
    assert all(piece.rstrip().endswith("]") for piece in pieces)


def test_a_stream_goes_on_with_its_conversation(tiny_site: Site) -> None:
    first = streamed(tiny_site, {"question": "How are refresh tokens rotated?"})[-1][1]
    follow_up = {"question": "And when one is presented twice?", "conversation_id": first["conversation_id"]}
    second = streamed(tiny_site, follow_up)[-1][1]
    assert second["conversation_id"] == first["conversation_id"]
    assert "revoke the whole token family" in second["text"]


def test_a_stream_for_a_page_brings_the_answer_as_elements_and_no_html(tiny_site: Site) -> None:
    whole = streamed(tiny_site, {"question": TOKENS}, "?view=true")[-1][1]
    (turn,) = whole["view"]
    tag, attributes, *_ = turn
    assert (tag, attributes["data-answer"]) == ("article", whole["answer_id"])
    assert "An access token lives for 10 minutes." in text_of(turn)
    assert "<" not in text_of(turn)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"question": " "}, 422),
        ({"question": "why?", "tags": ["authz"]}, 422),
        ({"question": "why?", "conversation_id": "nonesuch"}, 404),
    ],
)
def test_what_can_be_refused_with_a_status_is_refused_before_the_stream(
    tiny_site: Site, body: dict[str, Any], status: int
) -> None:
    response = tiny_site.client.post("/api/v1/ask/stream", json=body)
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")


def test_feedback_is_taken_once_per_answer_and_shown_with_its_conversation(tiny_site: Site) -> None:
    client = tiny_site.client
    asked = client.post("/api/v1/ask", json={"question": TOKENS}).json()
    given = {"answer_id": asked["answer_id"], "helpful": False, "reason": "out of date"}
    assert client.post("/api/v1/feedback", json={**given, "helpful": True, "reason": ""}).status_code == 200
    assert client.post("/api/v1/feedback", json=given).json() == {**given, "comment": ""}
    conversation = client.get(f"/api/v1/conversations/{asked['conversation_id']}").json()
    assert conversation["title"] == TOKENS
    (turn,) = conversation["turns"]
    assert turn["feedback"] == {**given, "comment": ""}
    assert turn["citations"] == asked["citations"]


def test_feedback_on_an_unknown_answer_is_refused(tiny_site: Site) -> None:
    response = tiny_site.client.post("/api/v1/feedback", json={"answer_id": "nonesuch", "helpful": True})
    assert (response.status_code, response.json()["title"]) == (404, "Not Found")


def test_a_deleted_conversation_is_gone_with_its_permalinks(tiny_site: Site) -> None:
    client = tiny_site.client
    asked = client.post("/api/v1/ask", json={"question": TOKENS}).json()
    conversation, answer = asked["conversation_id"], asked["answer_id"]
    addresses = [f"/api/v1/conversations/{conversation}", f"/conversations/{conversation}", f"/answers/{answer}.md"]
    assert [client.get(address).status_code for address in addresses] == [200, 200, 200]
    assert client.delete(f"/api/v1/conversations/{conversation}").status_code == 204
    assert [client.get(address).status_code for address in addresses] == [404, 404, 404]
    assert client.delete(f"/api/v1/conversations/{conversation}").status_code == 404


def text_of(part: Any) -> str:
    return part if isinstance(part, str) else "".join(text_of(child) for child in part[2:])
