"""Agents over HTTP: the official client of the Model Context Protocol, unmodified, against the running server."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult

from indexes.models.embedding import Embedder
from tests.conftest import ROOT, TINY, Site
from tests.web.bodies import NO_OBJECTS
from tests.web.live_servers import served_from
from web.access.keys import Keys
from web.access.policy import Policy
from web.access.principals import SCOPES
from web.access.rates import Rates
from web.access.rules import AccessRules
from web.access.sqlite_keys import SqliteKeyStore

QUESTION = "How long does an access token live?"
HEADERS = {"accept": "application/json, text/event-stream", "content-type": "application/json"}


@pytest.fixture(scope="module")
def address(tiny_site: Site, embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served_from(tiny_site.index, embedder, tmp_path_factory.mktemp("mcp")) as address:
        yield address


@pytest.fixture(scope="module")
def kept_closed(
    embedder: Embedder, indexed: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Keys]]:
    """A site that nobody enters without a key, where the article on tokens is for the group "security" alone."""
    folder = tmp_path_factory.mktemp("closed")
    index = indexed({**TINY, "tokens": TINY["tokens"].replace("---\n", "---\naudience: [security]\n", 1)})
    keys = Keys(SqliteKeyStore(folder / "keys.sqlite"))
    access_rules = AccessRules(Policy(trust_local=False), keys, Rates())
    with served_from(index, embedder, folder, access_rules) as address:
        yield address, keys
    keys.close()


def with_client(address: str, work: Callable[[Client], Awaitable[Any]], mode: Any = "auto", key: str = "") -> Any:
    async def connected() -> Any:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=30) as http,
            Client(streamable_http_client(f"{address}/mcp", http_client=http), mode=mode) as client,
        ):
            return await work(client)

    return asyncio.run(connected())


def call(address: str, tool: str, arguments: Mapping[str, Any], key: str = "") -> CallToolResult:
    result = with_client(address, lambda client: client.call_tool(tool, dict(arguments)), key=key)
    assert isinstance(result, CallToolResult)
    return result


def given(address: str, tool: str, key: str = "", **arguments: Any) -> Any:
    """What a tool gives as an object, which is also its text."""
    result = call(address, tool, arguments, key)
    assert not result.is_error, result.content
    assert json.loads(said(result)) == result.structured_content
    return result.structured_content


def said(result: CallToolResult) -> str:
    (content,) = result.content
    assert content.type == "text"
    return content.text


def posted(address: str, content: bytes | Mapping[str, Any], **headers: str) -> httpx2.Response:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return httpx2.post(f"{address}/mcp", content=body, headers={**HEADERS, **headers})


def request(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


SEARCH = request("tools/call", name="search", arguments={"query": "refresh token"})


def test_search_finds_articles_with_what_is_needed_to_cite_and_fetch_them(address: str) -> None:
    results = given(address, "search", query="canary release", limit=2)["results"]
    assert results[0]["id"] == "guides/deploying"
    assert len(results) == len({result["id"] for result in results}) == 2
    assert results[0]["title"] == "Deploying the service"
    assert "A canary release sends five percent" in results[0]["text"]
    assert httpx2.get(results[0]["url"]).status_code == 200


def test_fetch_gives_an_article_in_full(address: str) -> None:
    article = given(address, "fetch", id="tokens")
    served = httpx2.get(f"{address}/api/v1/articles/tokens").json()
    assert article["text"] == served["markdown"]
    assert (article["id"], article["title"], article["url"]) == (
        "tokens",
        served["title"],
        f"{address}/articles/tokens",
    )
    assert article["metadata"]["tags"] == ["auth", "tokens"]
    assert article["metadata"]["updated"] == "2026-03-30"
    assert article["metadata"]["next_start"] is None
    assert given(address, "fetch", id="tokens", start=100)["text"] == served["markdown"][100:]


def test_ask_gives_a_footnoted_answer_and_understands_a_follow_up(address: str) -> None:
    first = given(address, "ask", question="How are refresh tokens rotated?", tags=["auth"])
    followed = given(address, "ask", question="and when used twice?", conversation=first["conversation"])
    (citation, *_) = followed["citations"]
    assert first["answered"]
    assert followed["text"].startswith(
        "When a refresh token is presented twice, revoke the whole token family at once."
    )
    assert f"[1]({citation['url']})" in followed["text"]
    assert citation["url"].startswith(f"{address}/articles/tokens?cite=")


def test_ask_says_so_where_the_articles_do_not(address: str) -> None:
    refused = given(address, "ask", question="Who won the football world cup of 1974?")
    assert refused["answered"] is False
    assert refused["citations"] == []
    assert refused["related"][0].keys() == {"id", "title", "url"}


@pytest.mark.parametrize("mode", ["2026-07-28", "auto", "legacy"])
def test_clients_of_the_current_and_of_earlier_revisions_are_served(address: str, mode: str) -> None:
    async def used(client: Client) -> tuple[str, list[Any], CallToolResult]:
        tools = (await client.list_tools()).tools
        result = await client.call_tool("ask", {"question": QUESTION})
        assert isinstance(result, CallToolResult)
        return str(client.session.protocol_version), tools, result

    version, tools, result = with_client(address, used, mode)
    assert version == ("2025-11-25" if mode == "legacy" else "2026-07-28")
    assert [tool.name for tool in tools] == ["search", "fetch", "ask"]
    for tool in tools:
        assert tool.annotations.read_only_hint
        assert tool.title
        assert tool.output_schema["type"] == tool.input_schema["type"] == "object"
        described = tool.input_schema["properties"].values()
        assert all("description" in entry for entry in described)
    assert result.structured_content
    assert result.structured_content["answered"]


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18"])
def test_a_client_of_the_first_revisions_gets_the_one_it_asks_for(address: str, version: str) -> None:
    client = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "old", "version": "1"}}
    greeted = posted(address, request("initialize", **client)).json()["result"]
    posted(address, {"jsonrpc": "2.0", "method": "notifications/initialized"}).raise_for_status()
    found = posted(address, SEARCH, **{"mcp-protocol-version": version}).json()["result"]
    assert greeted["protocolVersion"] == version
    assert json.loads(found["content"][0]["text"])["results"][0]["id"] == "tokens"


@pytest.mark.parametrize(
    ("tool", "arguments", "hint"),
    [
        ("fetch", {"id": "tokenz"}, "Did you mean 'tokens'?"),
        ("fetch", {"id": "zzzzzzzz"}, "`search` finds articles"),
        ("ask", {"question": "x", "tags": ["auht"]}, "Did you mean 'auth' or"),
        ("ask", {"question": "x", "conversation": "none"}, "leave `conversation` out"),
        ("ask", {"question": " "}, "question: String should have at least 1 character"),
        ("ask", {"question": "x" * 4001}, "question: String should have at most 4000 characters"),
        ("ask", {}, "question: Field required"),
        ("search", {"query": "x", "limit": 21}, "limit: "),
        ("search", {"query": "x", "colour": "red"}, "colour: "),
        ("search", {"query": "a\x00b"}, "query: must not contain NUL"),
        ("erase", {}, "there are search, fetch, ask"),
    ],
)
def test_what_cannot_be_done_is_a_tool_error_that_says_what_to_do(
    address: str, tool: str, arguments: dict[str, Any], hint: str
) -> None:
    result = call(address, tool, arguments)
    assert result.is_error
    assert hint in said(result)
    assert "x" * 4001 not in said(result)


MODERN = {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "search"}


@pytest.mark.parametrize("headers", [{}, MODERN], ids=["earlier", "current"])
@pytest.mark.parametrize(
    "content",
    [
        *NO_OBJECTS,
        b'{"a":' * 9000 + b"1" + b"}" * 9000,
        json.dumps([SEARCH]).encode(),
        json.dumps(SEARCH).encode().replace(b'"refresh token"', b"[" * 900 + b"]" * 900),
        json.dumps(SEARCH).encode().replace(b"refresh token", b"\\ud800"),
        json.dumps(SEARCH).encode().replace(b'"query"', b'"\\ud800"'),
        json.dumps({**SEARCH, "params": []}).encode(),
    ],
)
def test_rubbish_is_refused_as_the_protocol_says(address: str, content: bytes, headers: dict[str, str]) -> None:
    response = posted(address, content, **headers)
    assert response.status_code in (200, 400)
    assert response.json()["jsonrpc"] == "2.0"
    assert "error" in response.json() or response.json()["result"]["isError"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "evil.example:8000", "origin": "http://evil.example:8000"}, 421),
        ({"host": "[zz"}, 421),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://[zz"}, 403),
        ({"origin": "http://localhost:1"}, 403),
        ({"host": "localhost:8000", "origin": "http://localhost:8000"}, 200),
    ],
)
def test_pages_of_other_sites_are_kept_out_whatever_name_they_point_here(
    address: str, headers: dict[str, str], status: int
) -> None:
    response = posted(address, SEARCH, **headers)
    assert response.status_code == status
    assert ("refresh token is exchanged" in response.text) == (status == 200)


def test_there_are_no_sessions_to_open_or_end(address: str) -> None:
    assert httpx2.get(f"{address}/mcp", headers=HEADERS).status_code == 405
    assert httpx2.delete(f"{address}/mcp", headers=HEADERS).status_code == 405
    assert "mcp-session-id" not in posted(address, SEARCH).headers


def test_an_agent_finds_what_the_groups_of_its_key_may_read_and_nothing_else(kept_closed: tuple[str, Keys]) -> None:
    address, keys = kept_closed
    inside = keys.create("inside", ("read", "ask"), ("security",))[1]
    outside = keys.create("outside", ("read", "ask"))[1]
    assert given(address, "ask", inside, question=QUESTION)["answered"]
    assert given(address, "fetch", inside, id="tokens")["id"] == "tokens"
    assert "token" not in json.dumps(given(address, "search", outside, query="refresh token", limit=20))
    assert "tokens" not in said(call(address, "fetch", {"id": "tokenz"}, outside))
    assert call(address, "fetch", {"id": "tokens"}, outside).is_error
    assert not given(address, "ask", outside, question=QUESTION)["answered"]


def test_a_conversation_is_there_for_the_key_that_holds_it_alone(kept_closed: tuple[str, Keys]) -> None:
    address, keys = kept_closed
    one, other = (keys.create(name, ("ask",))[1] for name in ("one", "other"))
    held = given(address, "ask", one, question="How are payments retried?")["conversation"]
    assert given(address, "ask", one, question="and what is stopped?", conversation=held)["conversation"] == held
    assert "no such conversation" in said(call(address, "ask", {"question": "x", "conversation": held}, other))


def test_each_tool_takes_its_own_scope(kept_closed: tuple[str, Keys]) -> None:
    address, keys = kept_closed
    viewer, asker = keys.create("reader", ("read",))[1], keys.create("asker", ("ask",))[1]
    assert "scope `ask`" in said(call(address, "ask", {"question": QUESTION}, viewer))
    assert "scope `read`" in said(call(address, "fetch", {"id": "caching"}, asker))
    assert given(address, "fetch", viewer, id="caching")["id"] == "caching"


def test_without_a_key_that_may_read_or_ask_nothing_is_even_listed(kept_closed: tuple[str, Keys]) -> None:
    address, keys = kept_closed
    useless = keys.create("judge", tuple(SCOPES - {"read", "ask"}))[1]
    assert posted(address, request("tools/list")).status_code == 401
    assert posted(address, request("tools/list"), authorization=f"Bearer {useless}").status_code == 403


def test_past_capacity_an_agent_is_told_to_come_again(tiny_site: Site, embedder: Embedder, tmp_path: Path) -> None:
    with served_from(tiny_site.index, embedder, tmp_path, capacity=0) as address:
        response = posted(address, SEARCH)
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")


def test_the_library_of_the_protocol_is_not_loaded_before_an_agent_comes() -> None:
    program = (
        "import sys, web.app, web.cli; web.cli.parser(); "
        "print([name for name in sys.modules if name.startswith('mcp')])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
