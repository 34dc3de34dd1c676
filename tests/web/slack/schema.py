"""What Slack documents of messages, as checks: https://docs.slack.dev/reference/block-kit.

Written from the documentation and not from the code that builds the messages, to find what it gets wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_MESSAGE = {
    "channel",
    "thread_ts",
    "text",
    "blocks",
    "unfurl_links",
    "unfurl_media",
    "parse",
    "link_names",
    "mrkdwn",
    "response_type",
    "replace_original",
    "delete_original",
}
_FIELDS = {
    "section": {"text", "fields", "accessory", "expand"},
    "context": {"elements"},
    "actions": {"elements"},
    "header": {"text"},
    "divider": set(),
}
_MOST_BLOCKS, _MOST_TEXT, _MOST_IN_ALL = 50, 3_000, 13_000
_LONGEST_FALLBACK = 40_000


def length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def problems(payload: dict[str, Any]) -> list[str]:
    """Everything that Slack would refuse in a message; [] for a message it takes."""
    return list(_message(payload))


def _message(payload: dict[str, Any]) -> Iterator[str]:
    yield from (f"no such argument: {name}" for name in payload.keys() - _MESSAGE)
    text, blocks = payload.get("text", ""), payload.get("blocks", [])
    if not isinstance(text, str) or not isinstance(blocks, list):
        yield "text must be a string, blocks a list"
        return
    if not text and not blocks:
        yield "no_text"
    if length(text) > _LONGEST_FALLBACK:
        yield "msg_too_long"
    if len(blocks) > _MOST_BLOCKS:
        yield f"{len(blocks)} blocks"
    if sum(length(found) for found in texts(blocks)) > _MOST_IN_ALL:
        yield "msg_blocks_too_long"
    for name in ("unfurl_links", "unfurl_media", "link_names", "replace_original", "delete_original"):
        if name in payload and not isinstance(payload[name], bool):
            yield f"{name} must be true or false"
    if payload.get("response_type", "ephemeral") not in ("ephemeral", "in_channel"):
        yield "response_type"
    for place, block in enumerate(blocks):
        yield from (f"/blocks/{place}: {problem}" for problem in _block(block))


def _block(block: dict[str, Any]) -> Iterator[str]:
    kind = block.get("type")
    if kind not in _FIELDS:
        yield f"no such block: {kind}"
        return
    yield from (f"no such field: {name}" for name in block.keys() - _FIELDS[kind] - {"type", "block_id"})
    if len(block.get("block_id", "")) > 255:
        yield "block_id too long"
    if kind == "section":
        if "text" not in block and "fields" not in block:
            yield "neither text nor fields"
        yield from _text(block.get("text"), _MOST_TEXT, ("mrkdwn", "plain_text"))
        if not isinstance(block.get("expand", False), bool):
            yield "expand must be true or false"
    elif kind == "header":
        yield from _text(block.get("text"), 150, ("plain_text",))
    elif kind == "context":
        yield from _count(block, 10)
        for element in block.get("elements", []):
            yield from _text(element, _MOST_TEXT, ("mrkdwn", "plain_text"))
    elif kind == "actions":
        yield from _count(block, 25)
        for element in block.get("elements", []):
            yield from _button(element)
        actions = [element.get("action_id") for element in block.get("elements", [])]
        if len(set(actions)) < len(actions):
            yield "an action_id twice in one block"


def _count(block: dict[str, Any], most: int) -> Iterator[str]:
    if not 1 <= len(block.get("elements", [])) <= most:
        yield f"{len(block.get('elements', []))} elements"


def _text(text: Any, most: int, kinds: tuple[str, ...]) -> Iterator[str]:
    if not isinstance(text, dict) or text.get("type") not in kinds:
        yield f"no text of type {' or '.join(kinds)}"
        return
    allowed = {"mrkdwn": {"type", "text", "verbatim"}, "plain_text": {"type", "text", "emoji"}}[text["type"]]
    yield from (f"no such field of a text: {name}" for name in text.keys() - allowed)
    if not isinstance(text.get("text"), str) or not 1 <= length(text["text"]) <= most:
        yield f"a text of {length(str(text.get('text')))} characters"


def _button(button: dict[str, Any]) -> Iterator[str]:
    if button.get("type") != "button":
        yield f"not a button: {button.get('type')}"
        return
    allowed = {"type", "text", "action_id", "value", "style", "url", "confirm", "accessibility_label"}
    yield from (f"no such field of a button: {name}" for name in button.keys() - allowed)
    yield from _text(button.get("text"), 75, ("plain_text",))
    if not 1 <= len(button.get("action_id", "")) <= 255:
        yield "action_id"
    if not 1 <= len(button.get("value", "-")) <= 2_000:
        yield "value"
    if button.get("style", "primary") not in ("primary", "danger"):
        yield "style"


def texts(blocks: list[dict[str, Any]]) -> Iterator[str]:
    """Every text of the blocks, as it is written."""
    for block in blocks:
        for part in [block.get("text"), *block.get("elements", [])]:
            if isinstance(part, dict):
                found = part.get("text")
                yield found["text"] if isinstance(found, dict) else str(found)


# How mrkdwn is read: https://docs.slack.dev/messaging/formatting-message-text

_LINK = re.compile(r"<(https?://[^\s|<>]+)\|([^<>\n]+)>")
_MENTION = re.compile(r"<@([UW][A-Z0-9]+)>")


def links(text: str) -> list[tuple[str, str]]:
    return [(url.replace("&amp;", "&"), label) for url, label in _LINK.findall(text)]


def mentions(text: str) -> list[str]:
    return _MENTION.findall(text)


def misread(text: str) -> list[str]:
    """What Slack would take for something else than it is: control characters that are not escaped, open fences."""
    bare = _MENTION.sub("", _LINK.sub("", text))
    found = re.findall(r"<[^>]*>?", bare)
    found += re.findall(r"&(?!amp;|lt;|gt;).{0,5}", text)
    found += re.findall(r"(?m)(?<!^)>", bare)  # at the beginning of a line it quotes
    return [*found, *(["```"] if text.count("```") % 2 else [])]
