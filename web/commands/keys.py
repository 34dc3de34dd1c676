"""The command `keys`: makes, lists and revokes API keys."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from indexes.console import OK, Commands, command, show
from indexes.settings import IndexSettings
from web.access.keys import EVERY_GROUP, Key, Keys, Scope
from web.access.sqlite_keys import SqliteKeyStore
from web.settings import Settings

_ASKER: tuple[Scope, ...] = ("ask", "read", "feedback")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}
_NEVER = "never"
_LONGEST_NAME = 100


def add_commands(commands: Commands) -> None:
    summary = "make, list and revoke API keys"
    keys: Commands = commands.add_parser("keys", help=summary, description=summary).add_subparsers(
        required=True, metavar="ACTION"
    )
    create = command(keys, "create", _create, "make a key, which is shown this once")
    create.add_argument("--name", type=_name, required=True, help="who or what will use it")
    create.add_argument(
        "--scope", action="append", choices=get_args(Scope), help=f"what it may do; repeatable ({', '.join(_ASKER)})"
    )
    create.add_argument(
        "--group",
        action="append",
        type=_name,
        default=[],
        help=f"articles for this group are there for its holder; repeatable; '{EVERY_GROUP}' for every group",
    )
    create.add_argument(
        "--expires", type=_lasting, default="90d", metavar="TIME", help=f"12h, 90d, 52w or {_NEVER} (90d)"
    )
    command(keys, "list", _list, "list all keys, without their secrets")
    command(keys, "revoke", _revoke, "refuse a key from now on").add_argument("id", help="its id, as `list` shows it")


def _create(args: argparse.Namespace, settings: IndexSettings) -> int:
    with _opened(settings) as keys:
        key, presented = keys.create(args.name, args.scope or _ASKER, args.group, args.expires)
    text = f"{presented}\n\nKeep it now: it is not shown again. {_in_words(key)}"
    show(args, {**_document(key), "key": presented}, text)
    return OK


def _list(args: argparse.Namespace, settings: IndexSettings) -> int:
    with _opened(settings) as keys:
        listed = keys.all()
    show(args, {"keys": [_document(key) for key in listed]}, "\n".join(map(_line, listed)) or "There are no keys yet.")
    return OK


def _revoke(args: argparse.Namespace, settings: IndexSettings) -> int:
    with _opened(settings) as keys:
        keys.revoke(args.id)
    show(args, {"revoked": args.id}, f"{args.id} is refused from now on, and whoever signed in with it is signed out.")
    return OK


@contextmanager
def _opened(settings: IndexSettings) -> Iterator[Keys]:
    assert isinstance(settings, Settings)
    keys = Keys(SqliteKeyStore(settings.keys))
    try:
        yield keys
    finally:
        keys.close()


def _name(text: str) -> str:
    name = text.strip()
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise argparse.ArgumentTypeError(f"must be 1 to {_LONGEST_NAME} printable characters")
    return name


def _lasting(text: str) -> timedelta | None:
    if text == _NEVER:
        return None
    parts = re.fullmatch(r"([1-9]\d{0,4})([hdw])", text, re.ASCII)
    if not parts:
        raise argparse.ArgumentTypeError(f"must be like 12h, 90d or 52w, or {_NEVER}")
    return timedelta(**{_UNITS[parts[2]]: int(parts[1])})


def _document(key: Key) -> dict[str, Any]:
    moments = {"created": key.created, "expires": key.expires, "revoked": key.revoked, "used": key.used}
    plain = {name: moment.isoformat(timespec="seconds") if moment else None for name, moment in moments.items()}
    return {**asdict(key), **plain, "state": key.state(datetime.now(UTC))}


def _in_words(key: Key) -> str:
    groups = f", with what is for {', '.join(key.groups)}" if key.groups else ""
    until = f"until {_day(key.expires)}" if key.expires else "for as long as it is not revoked"
    return f"Its id is {key.id}; it may {', '.join(key.scopes)}{groups}, {until}."


def _line(key: Key) -> str:
    lasts = f"expires {_day(key.expires)}" if key.expires else "never expires"
    used = f"used {_day(key.used)}" if key.used else "never used"
    facts = [",".join(key.scopes), *([",".join(key.groups)] if key.groups else []), lasts, used]
    return f"{key.id}  {key.state(datetime.now(UTC)):<7}  {key.name}  ({'; '.join(facts)})"


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"
