"""Reads front matter: the YAML or TOML block that opens a Markdown file, and the article fields in it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, TypeAlias

import yaml

from ingest.errors import ArticleRejected, AudienceUnclear

Fields: TypeAlias = Mapping[str, Any]

_YAML = re.compile(r"---[ \t]*\n(.*?)(?m:^)(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_TOML = re.compile(r"\+\+\+[ \t]*\n(.*?)(?m:^)\+\+\+[ \t]*(?:\n|\Z)", re.DOTALL)
_AUDIENCE = re.compile(r"^[ \t\"'{-]*audiences?[\"']?[ \t]*[:=]", re.IGNORECASE | re.MULTILINE)
_OPENING = re.compile(r"\s*(---|\+\+\+)[ \t]*\n")
_LONGEST = 64_000  # characters; a front matter is a few lines
_LARGEST = 2**63 - 1  # the largest integer of SQLite


class PlainLoader(yaml.SafeLoader):
    """Refuses aliases: articles need none, and a few nested ones expand to gigabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not allowed")
        return super().compose_node(parent, index)


def split(text: str) -> tuple[Fields, str]:
    """The fields and the body of a file. Raises ArticleRejected if there is a broken front matter."""
    for pattern, read in ((_YAML, _yaml), (_TOML, tomllib.loads)):
        match = pattern.match(text)
        if match is None or (read is _yaml and not _looks_like_fields(match.group(1))):
            continue
        if match.end(1) > _LONGEST:
            raise _rejection(match.group(1), f"the front matter is longer than {_LONGEST} characters: shorten it")
        return _read(match.group(1), read), text[match.end() :].lstrip("\n")
    if (opening := _OPENING.match(text)) and _AUDIENCE.search(_block(text, opening)):
        raise AudienceUnclear("it names an audience in a front matter without an end, or not at the start: correct it")
    return {}, text


def _block(text: str, opening: re.Match[str]) -> str:
    return text[opening.end() : opening.end() + _LONGEST].partition(f"\n{opening.group(1)}")[0]


def _rejection(block: str, reason: str) -> ArticleRejected:
    """The rejection; if the block names an audience, the last version may not be served either."""
    return AudienceUnclear(reason) if _AUDIENCE.search(block) else ArticleRejected(reason)


def _looks_like_fields(block: str) -> bool:
    """Whether a block has a colon somewhere: a `---` rule that opens plain prose is no front matter."""
    return ":" in block or not block.strip()


def _yaml(block: str) -> Any:
    return yaml.load(block, Loader=PlainLoader)


def _read(block: str, read: Any) -> Fields:
    try:
        fields = read(block)
    # ValueError: an impossible date; LookupError, AttributeError: PyYAML on `!!bool perhaps`, `!!timestamp soon`
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise _rejection(block, f"the front matter cannot be read ({reason}): correct it") from error
    if fields is None:
        return {}
    if not isinstance(fields, dict):
        raise _rejection(block, "the front matter is not a list of `key: value` fields: correct it")
    return fields


def text(fields: Fields, *names: str) -> str:
    """The first of the named fields with text or a number, on one line; "" if there is none."""
    for name in names:
        value = fields.get(name)
        if _is_printable(value) and not isinstance(value, bool):
            return " ".join(str(value).split())
    return ""


def tags(fields: Fields, *names: str) -> tuple[str, ...]:
    """A list of tags, or one comma-separated line; duplicates (by case) dropped, order kept."""
    for name in names:
        value = fields.get(name)
        listed = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
        unique: dict[str, str] = {}
        for tag in listed:
            clean = " ".join(str(tag).split()) if _is_printable(tag) else ""
            if clean:
                unique.setdefault(clean.casefold(), clean)
        if unique:
            return tuple(unique.values())
    return ()


def day(fields: Fields, *names: str) -> date | None:
    """The first of the named fields with a date, or an ISO date as text."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, datetime):
            return value.date()
        if isinstance(value, date):
            return value
        if isinstance(value, str):
            try:
                return date.fromisoformat(value.strip()[:10])
            except ValueError:
                continue
    return None


def audience(fields: Fields) -> tuple[str, ...]:
    """The groups whose members may read an article, sorted; () without such a field: it is for everyone.

    Raises AudienceUnclear rather than guessing.
    """
    names = [name for name in fields if str(name).strip().casefold() in ("audience", "audiences")]
    if not names:
        return ()
    if names != ["audience"]:
        raise AudienceUnclear(f"it has the field {names[-1]!r}: name one list of groups `audience`")
    value = fields["audience"]
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not listed:
        raise AudienceUnclear("its audience names no group: list groups, or leave the field out for everyone")
    groups = [" ".join(group.split()) for group in listed if isinstance(group, str)]
    if len(groups) < len(listed) or not all(groups) or any("," in group for group in groups):
        raise AudienceUnclear("its audience is not a list of names of groups: correct it")
    return tuple(sorted(set(groups)))


def count(fields: Fields, name: str) -> int:
    value = fields.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST else 0


def _is_printable(value: object) -> bool:
    """Whether a value is text or a number, except one of thousands of digits, which Python refuses to print."""
    return isinstance(value, str | float) or (isinstance(value, int) and abs(value) <= _LARGEST)
