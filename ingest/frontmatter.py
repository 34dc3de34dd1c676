"""Front matter: the YAML or TOML block that opens a Markdown file, and the article fields in it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, TypeAlias

import yaml

from ingest.errors import ArticleRejected

Fields: TypeAlias = Mapping[str, Any]

_YAML = re.compile(r"---[ \t]*\n(.*?)(?m:^)(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_TOML = re.compile(r"\+\+\+[ \t]*\n(.*?)(?m:^)\+\+\+[ \t]*(?:\n|\Z)", re.DOTALL)
_LONGEST = 64_000  # characters; a front matter is a few lines
_LARGEST = 2**63 - 1  # what SQLite stores


class PlainLoader(yaml.SafeLoader):
    """Refuses aliases: an article needs none, and a few nested ones expand to gigabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not allowed")
        return super().compose_node(parent, index)


def split(text: str) -> tuple[Fields, str]:
    """The fields and the body of a file. Raises ArticleRejected if the front matter is there but broken."""
    for pattern, read in ((_YAML, _yaml), (_TOML, tomllib.loads)):
        match = pattern.match(text)
        if match is None or (read is _yaml and not _looks_like_fields(match.group(1))):
            continue
        if match.end(1) > _LONGEST:
            raise ArticleRejected(f"the front matter is longer than {_LONGEST} characters: shorten it")
        return _read(match.group(1), read), text[match.end() :].lstrip("\n")
    return {}, text


def _looks_like_fields(block: str) -> bool:
    """A `---` rule that opens a file of plain prose is no front matter: fields have a colon somewhere."""
    return ":" in block or not block.strip()


def _yaml(block: str) -> Any:
    return yaml.load(block, Loader=PlainLoader)


def _read(block: str, read: Any) -> Fields:
    try:
        fields = read(block)
    # ValueError: an impossible date; LookupError, AttributeError: PyYAML on `!!bool perhaps`, `!!timestamp soon`
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ArticleRejected(f"the front matter cannot be read ({reason}): correct it") from error
    if fields is None:
        return {}
    if not isinstance(fields, dict):
        raise ArticleRejected("the front matter is not a list of `key: value` fields: correct it")
    return fields


def text(fields: Fields, *names: str) -> str:
    """The first of the named fields that holds text or a number, on one line; "" if none does."""
    for name in names:
        value = fields.get(name)
        if _prints(value) and not isinstance(value, bool):
            return " ".join(str(value).split())
    return ""


def tags(fields: Fields, *names: str) -> tuple[str, ...]:
    """A list of tags, or one comma-separated line of them; duplicates (by case) dropped, order kept."""
    for name in names:
        value = fields.get(name)
        listed = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
        kept: dict[str, str] = {}
        for tag in listed:
            clean = " ".join(str(tag).split()) if _prints(tag) else ""
            if clean:
                kept.setdefault(clean.casefold(), clean)
        if kept:
            return tuple(kept.values())
    return ()


def day(fields: Fields, *names: str) -> date | None:
    """The first of the named fields that is a date, or an ISO date in text."""
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


def count(fields: Fields, name: str) -> int:
    value = fields.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST else 0


def _prints(value: object) -> bool:
    """Text or a number; not one of thousands of digits, which Python refuses to print."""
    return isinstance(value, str | float) or (isinstance(value, int) and abs(value) <= _LARGEST)
