"""Agents that start `footnote mcp` themselves: the official client over standard input and output."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from indexes.types import KEEPER, Viewer
from tests.conftest import ROOT, Site
from tests.web.pages.test_clients_page import servers
from web.cli import main, parser
from web.commands.mcp import caller_of
from web.settings import Settings

HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": {"name": "old", "version": "1"}},
}


@contextmanager
def started(index: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "web", "mcp", "--index", str(index)],
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        env={**os.environ, "FOOTNOTE_MODELS": str(ROOT / "var" / "models")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        yield process
        process.kill()


def exchanged(process: subprocess.Popen[str], line: str) -> Any:
    assert process.stdin
    assert process.stdout
    process.stdin.write(line + "\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


def test_an_agent_asks_follows_up_and_reads(tiny_site: Site) -> None:
    entry = servers()[1]  # as printed in docs/clients.md
    own = {"FOOTNOTE_INDEX": str(tiny_site.index), "FOOTNOTE_MODELS": str(ROOT / "var" / "models")}
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "web", *entry["args"]], env={**entry["env"], **own}, cwd=str(ROOT)
    )

    async def work(call: Callable[..., Awaitable[Any]]) -> tuple[Any, Any, Any]:
        first = (await call("ask", {"question": "How are refresh tokens rotated?"})).structured_content
        follow_up = {"question": "and when used twice?", "conversation": first["conversation"]}
        second = (await call("ask", follow_up)).structured_content
        return second, (await call("fetch", {"id": "caching"})).structured_content, await call("fetch", {"id": "cache"})

    async def connected() -> tuple[Any, Any, Any]:
        async with Client(stdio_client(server)) as client:
            return await work(client.call_tool)

    followed, article, failed = asyncio.run(connected())
    assert "revoke the whole token family" in followed["text"]
    assert Path(entry["command"]).name == "footnote"
    assert followed["citations"][0]["url"].startswith("http://127.0.0.1:8000/articles/tokens?cite=")
    assert article["title"] == "Caching responses"
    assert failed.is_error


def test_rubbish_is_outlived_and_the_end_of_input_ends_it(tiny_site: Site) -> None:
    with started(tiny_site.index) as process:
        greeted = exchanged(process, f"rubbish\n[[[\n\n{json.dumps(HELLO)}")
        assert process.stdin
        process.stdin.close()
        code = process.wait(30)
        assert process.stderr
        noise = process.stderr.read()
    assert greeted["result"]["protocolVersion"] == "2024-11-05"
    assert (code, noise) == (0, "")


def test_it_ends_at_once_when_told_to(tiny_site: Site) -> None:
    with started(tiny_site.index) as process:
        exchanged(process, json.dumps(HELLO))
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


@pytest.mark.parametrize(
    ("options", "viewer"),
    [
        ([], KEEPER),
        (["--group", "platform", "--group", "sre"], Viewer(frozenset(("platform", "sre")))),
        (["--group", ""], Viewer(frozenset(("",)))),
    ],
)
def test_every_article_is_there_unless_a_group_is_named(options: list[str], viewer: Viewer) -> None:
    caller = caller_of(parser().parse_args(["mcp", *options]), Settings())
    assert caller.viewer == viewer


@pytest.mark.parametrize(
    ("settings", "site"),
    [
        (Settings(public_url="https://kb.example"), "https://kb.example"),
        (Settings(public_url="", host="0.0.0.0", port=9000), "http://127.0.0.1:9000/"),
        (Settings(public_url="", host="::1", port=8000), "http://[::1]:8000/"),
    ],
)
def test_links_lead_to_the_public_address_or_to_where_the_pages_would_be_served(settings: Settings, site: str) -> None:
    assert caller_of(parser().parse_args(["mcp"]), settings).site == site


def test_no_index_is_said_on_standard_error_and_standard_output_stays_clean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["mcp", "--index", str(tmp_path / "none")]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "footnote ingest" in err
