"""The examples of docs/clients.md are run as they are printed, against a running server."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

from indexes.models.embedding import Embedder
from tests.conftest import ROOT
from tests.web.live_servers import served_from
from web.cli import parser

QUESTION = "What happens when a refresh token is used twice?"
PAGE = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def address(kb_index: Path, embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served_from(kb_index, embedder, tmp_path_factory.mktemp("clients")) as address:
        yield address


@pytest.mark.parametrize("example", re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
def test_an_example_in_python_prints_a_footnoted_answer(
    example: str, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    exec(compile(example.replace("http://127.0.0.1:8000", address), "docs/clients.md", "exec"), {})
    assert f"[1]({address}/articles/jwt-" in capsys.readouterr().out


def servers() -> list[dict[str, Any]]:
    """The servers in the files that are printed: one to connect to, one to start."""
    printed = re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return [json.loads(file)["mcpServers"]["footnote"] for file in printed]


async def asked(client: Client) -> tuple[list[str], Any]:
    tools = [tool.name for tool in (await client.list_tools()).tools]
    return tools, (await client.call_tool("ask", {"question": QUESTION})).structured_content


def test_the_server_that_agents_are_pointed_at_has_the_tools_of_the_table(address: str, tmp_path: Path) -> None:
    entry = servers()[0]

    async def connected() -> tuple[list[str], Any]:
        url = entry["url"].replace("http://127.0.0.1:8000", address)
        async with (
            httpx2.AsyncClient(timeout=30) as http,
            Client(streamable_http_client(url, http_client=http)) as client,
        ):
            return await asked(client)

    tools, answer = asyncio.run(connected())
    assert entry["headers"].keys() == {"Authorization"}
    assert tools == re.findall(r"^\| `(\w+)` \| `(?:query|id|question)`", PAGE, re.MULTILINE)
    assert answer["answered"]


def test_the_commands_of_the_page_parse() -> None:
    commands = re.findall(r"`footnote ([^`]+)`", PAGE)
    assert len(commands) >= 2
    for command in commands:
        parser().parse_args(shlex.split(command))
