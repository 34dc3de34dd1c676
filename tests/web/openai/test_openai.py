"""The official OpenAI client, unmodified, against the running server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from openai import OpenAI

from indexes.models.embedding import Embedder
from tests.conftest import Site, make_services
from tests.web.bodies import NO_OBJECTS
from tests.web.live_servers import served, served_from
from web.access.keys import Keys
from web.access.policy import Policy
from web.access.rates import Rates
from web.access.rules import AccessRules
from web.access.sqlite_keys import SqliteKeyStore
from web.admission import WorkSlots
from web.app import create_app

QUESTION = "How long does an access token live?"
TWO_PARTS = "How long does an access token live, and what are the steps to retry a payment?"
ANSWER = "A refresh token is exchanged for a new one every time it is used. An access token lives for 10 minutes."


@pytest.fixture(scope="module")
def address(tiny_site: Site, embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served_from(tiny_site.index, embedder, tmp_path_factory.mktemp("openai")) as address:
        yield address


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{address}/v1", api_key="unused", max_retries=0) as client:
        yield client


def user(text: str) -> Any:
    return {"role": "user", "content": text}


def complete(client: OpenAI, *messages: Any, model: str = "footnote", **more: Any) -> Any:
    return client.chat.completions.create(model=model, messages=list(messages), **more)


def test_an_answer_comes_with_its_footnotes_as_links_that_open_the_passage(client: OpenAI, address: str) -> None:
    completion = complete(client, user(QUESTION))
    (choice,) = completion.choices
    (first, *_) = completion.citations
    assert choice.finish_reason == "stop"
    assert choice.message.role == "assistant"
    assert choice.message.content.startswith(f"{ANSWER} [1]({address}/articles/tokens?cite=")
    assert choice.message.citations == completion.citations
    assert first.keys() == {"n", "article_id", "title", "url", "heading", "quote", "start", "end", "key"}
    assert f"[1]({first['url']})" in choice.message.content
    assert 'id="cited"' in httpx2.get(first["url"]).text


def test_usage_counts_the_tokens_of_messages_and_answer(client: OpenAI) -> None:
    usage = complete(client, {"role": "system", "content": "one two three"}, user(QUESTION)).usage
    assert usage.prompt_tokens == 3 + 8
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert usage.completion_tokens > 10


def test_a_stream_brings_the_role_then_whole_sentences_then_what_they_rest_on(client: OpenAI) -> None:
    whole = complete(client, user(TWO_PARTS))
    chunks = list(complete(client, user(TWO_PARTS), stream=True, stream_options={"include_usage": True}))
    head, *middle, end, usage = chunks
    assert (head.choices[0].delta.role, head.choices[0].delta.content) == ("assistant", "")
    assert "".join(chunk.choices[0].delta.content for chunk in middle) == whole.choices[0].message.content
    assert all("](http" in chunk.choices[0].delta.content for chunk in middle)
    assert len(middle) > 1
    assert end.choices[0].finish_reason == "stop"
    assert end.citations == whole.citations
    assert (usage.choices, usage.usage) == ([], whole.usage)
    assert len({chunk.id for chunk in chunks}) == 1


def test_a_stream_without_the_wish_for_usage_brings_none_and_ends_as_clients_expect(address: str) -> None:
    body = {"model": "footnote", "messages": [user(QUESTION)], "stream": True}
    response = httpx2.post(f"{address}/v1/chat/completions", json=body)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.text.endswith("\n\ndata: [DONE]\n\n")
    assert "usage" not in response.text


def test_the_asynchronous_client_is_answered_too(address: str) -> None:
    async def asked() -> tuple[str, str]:
        async with openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="unused") as client:
            whole = await client.chat.completions.create(model="footnote", messages=[user(QUESTION)])
            stream = await client.chat.completions.create(model="footnote", messages=[user(QUESTION)], stream=True)
            text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
            return str(whole.choices[0].message.content), text

    whole, streamed = asyncio.run(asked())
    assert whole == streamed
    assert ANSWER in whole


def test_the_clients_own_helper_for_streams_puts_the_answer_together(client: OpenAI) -> None:
    with client.chat.completions.stream(model="footnote", messages=[user(QUESTION)]) as stream:
        final = stream.get_final_completion()
    assert (final.choices[0].message.content or "").startswith(ANSWER)


def test_earlier_messages_make_a_follow_up_understood(client: OpenAI) -> None:
    first = complete(client, user("How are refresh tokens rotated?")).choices[0].message
    alone = complete(client, user("and then?"))
    followed = complete(
        client,
        {"role": "system", "content": "You are a pirate."},
        user("How are refresh tokens rotated?"),
        first.model_dump(),
        user("and when used twice?"),
    )
    in_a_row = complete(client, user("How are refresh tokens rotated?"), user("and when used twice?"))
    assert not alone.answered
    assert "revoke the whole token family" in followed.choices[0].message.content
    assert "revoke the whole token family" in in_a_row.choices[0].message.content


def test_content_may_come_in_parts_of_text(client: OpenAI) -> None:
    parts = [{"type": "text", "text": "How long does an access"}, {"type": "text", "text": "token live?"}]
    assert complete(client, {"role": "user", "content": parts}).choices[0].message.content.startswith(ANSWER)


def test_what_the_articles_do_not_say_is_said_to_be_unknown(client: OpenAI, address: str) -> None:
    completion = complete(client, user("Who won the football world cup of 1974?"))
    assert completion.choices[0].finish_reason == "stop"
    assert completion.choices[0].message.content.startswith("The knowledge base does not say.")
    assert f"]({address}/articles/" in completion.choices[0].message.content  # the nearest
    assert completion.answered is False
    assert completion.citations == []


def test_a_greeting_is_returned(client: OpenAI) -> None:
    assert complete(client, user("hello")).choices[0].message.content.startswith("Hello.")


def test_there_is_a_model_for_all_articles_and_one_for_each_tag(client: OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert names[0] == "footnote"
    assert {"footnote:auth", "footnote:http", "footnote:resilience"} <= set(names)
    assert client.models.retrieve("footnote:auth").id == "footnote:auth"
    assert client.models.retrieve("footnote").owned_by == "footnote"


@pytest.mark.parametrize(
    "request_of",
    [
        {"model": "footnote:http"},
        {"model": "footnote:HTTP"},
        {"model": "footnote:http,observability"},
        {"extra_body": {"tags": ["http"]}},
        {"extra_body": {"tags": ["http", "auth"], "tag_mode": "all"}},
    ],
)
def test_tags_restrict_which_articles_answer(client: OpenAI, request_of: dict[str, Any]) -> None:
    assert complete(client, user(QUESTION)).answered
    restricted = complete(client, user(QUESTION), **request_of)
    assert "tokens" not in [citation["article_id"] for citation in restricted.citations]


def test_the_model_named_in_the_answer_is_the_one_that_answered(client: OpenAI) -> None:
    assert complete(client, user(QUESTION), model="footnote:TOKENS").model == "footnote:tokens"
    assert complete(client, user(QUESTION), extra_body={"tags": ["tokens"]}).model == "footnote:tokens"


def test_an_unknown_model_is_not_found_and_near_ones_are_named(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="resilience") as caught:
        complete(client, user(QUESTION), model="footnote:resilence")
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.NotFoundError, match="GET /v1/models"):
        complete(client, user(QUESTION), model="gpt-4o")
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("footnote:nothing")
    with pytest.raises(openai.NotFoundError, match="POST /v1/chat/completions answers"):
        client.responses.create(model="footnote", input="x")


def test_an_answer_ends_before_the_sentence_that_would_exceed_max_tokens(client: OpenAI) -> None:
    first, whole = complete(client, user(QUESTION)), complete(client, user(TWO_PARTS))
    shorter = complete(client, user(TWO_PARTS), max_tokens=first.usage.completion_tokens + 5)
    assert (whole.choices[0].finish_reason, shorter.choices[0].finish_reason) == ("stop", "length")
    assert shorter.choices[0].message.content == first.choices[0].message.content
    assert shorter.citations == first.citations
    assert complete(client, user(QUESTION), max_completion_tokens=1).choices[0].message.content == ""


def test_what_tunes_sampling_or_offers_tools_changes_nothing(client: OpenAI) -> None:
    tool: Any = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    completion = complete(
        client,
        user(QUESTION),
        temperature=0.2,
        top_p=0.9,
        frequency_penalty=1,
        presence_penalty=1,
        seed=7,
        n=1,
        logit_bias={"50256": -100},
        user="u",
        metadata={"a": "b"},
        store=True,
        reasoning_effort="low",
        tools=[tool],
        tool_choice="auto",
        response_format={"type": "text"},
        stop=[],
        logprobs=False,
        parallel_tool_calls=False,
    )
    assert completion.choices[0].message.content == complete(client, user(QUESTION)).choices[0].message.content


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"n": 2}, "n"),
        ({"response_format": {"type": "json_object"}}, "response_format.type"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tool_choice": {"type": "function", "function": {"name": "weather"}}}, "tool_choice"),
        ({"stop": ["10"]}, "stop"),
        ({"logprobs": True}, "logprobs"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"extra_body": {"tag": ["auth"]}}, "tag"),
        ({"extra_body": {"tags": ["auht"]}}, "tags"),
        ({"model": "footnote:auth", "extra_body": {"tags": ["http"]}}, "body"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages"),
        ({"messages": [user("  ")]}, "messages"),
        ({"messages": [user("x" * 4001)]}, "messages"),
        ({"messages": [{"role": "tool", "content": "x", "tool_call_id": "1"}]}, "messages.0.role"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": "a\x00b"}]}, "messages.0.content.0.text"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
            "messages.0.content.0.type",
        ),
    ],
)
def test_what_cannot_be_had_is_refused_naming_the_parameter(client: OpenAI, more: dict[str, Any], param: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(**{"model": "footnote", "messages": [user(QUESTION)], **more})
    assert caught.value.param == param
    assert caught.value.type == "invalid_request_error"
    assert "x" * 4001 not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        *NO_OBJECTS,
        b'{"model":' * 900 + b"1" + b"}" * 900,
        b'{"model": "footnote", "messages": [{"role": "user", "content": "\\ud800"}]}',
        b'{"model": "\\ud800", "messages": [{"role": "user", "content": "x"}]}',
        b'{"model": "footnote", "messages": [{"role": "user", "content": "x"}], "\\ud800": 1}',
        b'{"model": "footnote", "messages": {"role": "user"}}',
        json.dumps({"model": "footnote", "messages": [{"role": "user", "content": ""}] * 2_001}).encode(),
    ],
)
def test_rubbish_is_a_client_error_in_the_shape_of_openai(address: str, content: bytes) -> None:
    headers = {"content-type": "application/json"}
    response = httpx2.post(f"{address}/v1/chat/completions", content=content, headers=headers)
    assert response.status_code == 400
    assert response.json()["error"].keys() == {"message", "type", "param", "code"}


def test_other_errors_have_the_shape_of_openai_too(address: str) -> None:
    too_large = httpx2.post(f"{address}/v1/chat/completions", json={"model": "x" * 300_000})
    wrong_method = httpx2.get(f"{address}/v1/chat/completions", headers={"accept": "text/html"})
    assert (too_large.status_code, wrong_method.status_code) == (413, 405)
    for response in (too_large, wrong_method):
        assert response.json()["error"]["type"] == "invalid_request_error"


def test_a_server_that_is_full_makes_the_client_wait_and_try_again(
    tiny_site: Site, embedder: Embedder, tmp_path: Path
) -> None:
    with (
        served_from(tiny_site.index, embedder, tmp_path, capacity=0) as address,
        OpenAI(base_url=f"{address}/v1", api_key="unused", max_retries=0) as client,
        pytest.raises(openai.InternalServerError) as caught,
    ):
        complete(client, user(QUESTION))
    assert caught.value.status_code == 503
    assert caught.value.code == "overloaded"
    assert caught.value.response.headers["retry-after"] == "1"


def test_what_is_asked_is_kept_for_the_insights(tiny_site: Site, embedder: Embedder, tmp_path: Path) -> None:
    with (
        make_services(tiny_site.index, embedder, tmp_path) as services,
        served(create_app(services, 262_144, WorkSlots(2, 64))) as address,
        OpenAI(base_url=f"{address}/v1", api_key="unused") as client,
    ):
        completion = complete(client, user(QUESTION), model="footnote:tokens")
        kept = services.conversations.answer(completion.answer_id)
    assert (kept.answer.question, kept.filter.tags) == (QUESTION, ("tokens",))


def test_a_client_without_a_good_key_or_with_too_many_questions_raises_its_own_exceptions(
    tiny_site: Site, embedder: Embedder, tmp_path: Path
) -> None:
    keys = Keys(SqliteKeyStore(tmp_path / "keys.sqlite"))
    access_rules = AccessRules(Policy(trust_local=False), keys, Rates(ask="1/minute"))
    with served_from(tiny_site.index, embedder, tmp_path, access_rules) as address:

        def client(key: str) -> OpenAI:
            return OpenAI(base_url=f"{address}/v1", api_key=key, max_retries=0)

        with client("unused") as stranger, pytest.raises(openai.AuthenticationError) as unknown:
            complete(stranger, user(QUESTION))
        with client(keys.create("reader", ("read",))[1]) as viewer:
            assert viewer.models.retrieve("footnote")
            with pytest.raises(openai.PermissionDeniedError):
                complete(viewer, user(QUESTION))
        with client(keys.create("asker", ("ask",))[1]) as asker:
            assert asker.models.retrieve("footnote")  # clients list the models before they ask
            assert complete(asker, user(QUESTION)).answered
            with pytest.raises(openai.RateLimitError) as often:
                complete(asker, user(QUESTION))
    keys.close()
    assert unknown.value.code == "invalid_api_key"
    assert often.value.code == "rate_limit_exceeded"
    assert int(often.value.response.headers["retry-after"]) > 0


def test_where_no_key_is_needed_any_word_will_do_but_no_key_that_is_not_good(client: OpenAI, address: str) -> None:
    assert complete(client, user(QUESTION)).answered  # its key is "unused"
    with (
        OpenAI(base_url=f"{address}/v1", api_key=f"fn_{'0' * 12}_{'0' * 64}", max_retries=0) as mistaken,
        pytest.raises(openai.AuthenticationError),
    ):
        complete(mistaken, user(QUESTION))
