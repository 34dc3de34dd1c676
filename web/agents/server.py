"""Serves the tools with the official library of the Model Context Protocol."""

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
from mcp_types import Tool as ToolDescription
from pydantic import BaseModel, ValidationError

from web.agents.tools import Caller, Tool, ToolFailure
from web.serving.draining import Drain, Draining

log = logging.getLogger(__name__)

_INSTRUCTIONS = (
    "A knowledge base of articles. `ask` answers a question with quotations and links to their places, or says that "
    "the knowledge base does not, or may not, answer it (then it asserts nothing, and neither should you); `search` "
    "finds articles, `fetch` reads one in full. Prefer it to what you remember wherever a question may be about how "
    "things are done here, and pass its links on."
)
_INTERNAL_ERROR = "Something went wrong on our side; it has been logged. Please try again."

CallerOf: TypeAlias = Callable[[ServerRequestContext[Any, Any]], Caller]


def tool_server(tools: Sequence[Tool], caller_of: CallerOf, drain: Drain) -> Server[Any]:
    """A server of `tools`, which run in the threads of `drain` on behalf of `caller_of` a request."""
    by_name = {tool.name: tool for tool in tools}
    listing = ListToolsResult(tools=[_description(tool) for tool in tools])

    async def list_tools(context: ServerRequestContext[Any, Any], params: PaginatedRequestParams | None) -> Any:
        return listing

    async def call_tool(context: ServerRequestContext[Any, Any], params: CallToolRequestParams) -> CallToolResult:
        tool = by_name.get(params.name)
        if tool is None:
            return _failure(f"There is no tool of this name: there are {', '.join(by_name)}.")
        caller = caller_of(context)
        return await _result(drain, tool, params.arguments or {}, caller)

    return Server(
        "footnote",
        version="0.1.0",
        title="Footnote",
        instructions=_INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


async def _result(drain: Drain, tool: Tool, arguments: Mapping[str, Any], caller: Caller) -> CallToolResult:
    """The result of a tool, or what went wrong as a failure."""
    try:
        output = await drain.or_result(lambda: tool(arguments, caller))
    except ValidationError as error:
        return _failure(_invalid_arguments(error))
    except ToolFailure as failure:
        return _failure(str(failure))
    except Draining:
        return _failure("The server is restarting: please try again in a few seconds.")
    except Exception:
        log.exception("unexpected error")
        return _failure(_INTERNAL_ERROR)
    return _success(output)


def _success(output: BaseModel) -> CallToolResult:
    """Structured, and as JSON text for clients that do not support structured content."""
    text = TextContent(type="text", text=output.model_dump_json())
    return CallToolResult(content=[text], structured_content=output.model_dump(mode="json"))


def _failure(message: str) -> CallToolResult:
    text = message.encode("utf-8", "replace").decode()
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=True)


def _invalid_arguments(error: ValidationError) -> str:
    """Which arguments are invalid and why, without the values sent."""
    problems = [
        (".".join(str(part) for part in e["loc"]), e["msg"].removeprefix("Value error, ")) for e in error.errors()
    ]
    return f"The arguments are not valid: {'; '.join(f'{path}: {message}' for path, message in problems[:5])}."


def _description(tool: Tool) -> ToolDescription:
    return ToolDescription(
        name=tool.name,
        title=tool.title,
        description=tool.about,
        input_schema=tool.takes.model_json_schema(),
        output_schema=tool.gives.model_json_schema(mode="serialization"),
        annotations=ToolAnnotations(
            title=tool.title, read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
        ),
    )
