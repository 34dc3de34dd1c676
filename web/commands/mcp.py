"""`mcp`: the tools for an agent that starts this command itself."""

from __future__ import annotations

import argparse
import logging

from indexes.console import OK, Commands, add_index_option, command, index_of
from indexes.settings import IndexSettings
from indexes.types import KEEPER, Viewer
from qa.composition import build_answering
from web.agents.tools import Caller, Tools, agent_tools
from web.serving.draining import Drain
from web.settings import Settings

_ANYWHERE = ("", "0.0.0.0", "::")


def add_commands(commands: Commands) -> None:
    parser = command(commands, "mcp", _mcp, "serve agents over standard input and output (Model Context Protocol)")
    parser.add_argument(
        "--group",
        action="append",
        help="serve as for a member of this group, '' for none; repeatable. Left out, every article is there",
    )
    add_index_option(parser)


def _mcp(args: argparse.Namespace, settings: IndexSettings) -> int:
    # Imported here: the protocol's library costs half a second that the other commands need not wait for.
    from web.agents.server import tool_server
    from web.agents.stdio import InMemoryConversations, run

    assert isinstance(settings, Settings)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")  # to standard error
    parts = build_answering(settings.at(index_of(args, settings)), public_url=settings.public_url)
    parts.store.keep_looking()
    tools = Tools(parts.store, parts.answerer, parts.links, InMemoryConversations(parts.answerer))
    caller = caller_of(args, settings)
    run(tool_server(agent_tools(tools), lambda context: caller, Drain()))
    return OK


def caller_of(args: argparse.Namespace, settings: Settings) -> Caller:
    """Whoever starts this holds the files, and chooses as whom to read them."""
    viewer = KEEPER if args.group is None else Viewer(frozenset(args.group))
    return Caller(viewer, frozenset(("read", "ask")), "", settings.public_url or _here(settings))


def _here(settings: Settings) -> str:
    """Where `footnote serve` shows the pages under the same settings."""
    host = "127.0.0.1" if settings.host in _ANYWHERE else settings.host
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}/"
