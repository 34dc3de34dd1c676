"""The tools as the official library of the Model Context Protocol serves them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    ToolAnnotations,
)
from mcp_types import Tool as Described
from pydantic import BaseModel, ValidationError

from web.agents.tools import Caller, Tool, ToolFailure
from web.serving.draining import Drain, Draining

log = logging.getLogger(__name__)

_INSTRUCTIONS = (
    "A knowledge base of articles. `ask` answers a question with quotations and links to their places, or says that "
    "the knowledge base does not answer it; `search` finds articles, `fetch` reads one in full. Prefer it to what you "
    "remember wherever a question may be about how things are done here, and pass its links on."
)
_OURS = "Something went wrong on our side; it has been logged. Please try again."

CallerOf: TypeAlias = Callable[[ServerRequestContext[Any, Any]], Caller]


def serving(tools: Sequence[Tool], caller_of: CallerOf, drain: Drain) -> Server[Any]:
    """A server of `tools`, which work in the threads of `drain`; `caller_of` says for whom."""
    named = {tool.name: tool for tool in tools}
    listed = ListToolsResult(tools=[_described(tool) for tool in tools])

    async def list_tools(context: ServerRequestContext[Any, Any], asked: PaginatedRequestParams | None) -> Any:
        return listed

    async def call_tool(context: ServerRequestContext[Any, Any], asked: CallToolRequestParams) -> CallToolResult:
        tool = named.get(asked.name)
        if tool is None:
            return _failed(f"There is no tool of this name: there are {', '.join(named)}.")
        caller = caller_of(context)
        return await _result(drain, tool, asked.arguments or {}, caller)

    return Server(
        "footnote",
        version="0.1.0",
        title="Footnote",
        instructions=_INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


async def _result(drain: Drain, tool: Tool, arguments: Mapping[str, Any], caller: Caller) -> CallToolResult:
    """What a tool gives, as an object and, for clients that do not know of those, as its JSON."""
    try:
        given = await drain.or_result(lambda: tool(arguments, caller))
    except ValidationError as error:
        return _failed(_not_valid(error))
    except ToolFailure as failure:
        return _failed(str(failure))
    except Draining:
        return _failed("The server is restarting: please try again in a few seconds.")
    except Exception:
        log.exception("unexpected error")
        return _failed(_OURS)
    return _succeeded(given)


def _succeeded(given: BaseModel) -> CallToolResult:
    text = TextContent(type="text", text=given.model_dump_json())
    return CallToolResult(content=[text], structured_content=given.model_dump(mode="json"))


def _failed(said: str) -> CallToolResult:
    text = said.encode("utf-8", "replace").decode()
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=True)


def _not_valid(error: ValidationError) -> str:
    """Which arguments are not valid and why, and nothing of what was sent."""
    found = [(".".join(str(part) for part in e["loc"]), e["msg"].removeprefix("Value error, ")) for e in error.errors()]
    return f"The arguments are not valid: {'; '.join(f'{place}: {said}' for place, said in found[:5])}."


def _described(tool: Tool) -> Described:
    return Described(
        name=tool.name,
        title=tool.title,
        description=tool.about,
        input_schema=tool.takes.model_json_schema(),
        output_schema=tool.gives.model_json_schema(mode="serialization"),
        annotations=ToolAnnotations(
            title=tool.title, read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
        ),
    )
