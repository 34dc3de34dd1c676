"""What the command lines of all packages share: `--json`, `--index`, error messages and exit codes."""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import ValidationError

from indexes.errors import FootnoteError, IndexBusy
from indexes.settings import IndexSettings

OK, FAILED, USAGE, BUSY = 0, 1, 2, 75

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
AddCommands: TypeAlias = Callable[[Commands], None]
Run: TypeAlias = Callable[[argparse.Namespace, IndexSettings], int]


def command(commands: Commands, name: str, run: Run, summary: str) -> argparse.ArgumentParser:
    """Add a command; `run` gets its arguments and the settings, and returns the exit code."""
    parser = commands.add_parser(name, help=summary, description=summary)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)
    return parser


def add_index_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--index", type=Path, metavar="DIR", help="folder of the index (FOOTNOTE_INDEX)")


def index_of(args: argparse.Namespace, settings: IndexSettings) -> Path:
    return args.index or settings.index


def show(args: argparse.Namespace, document: Any, text: str) -> None:
    """Print `document` as JSON where `--json` was given, else `text`."""
    shown = json.dumps(document, ensure_ascii=False, indent=2) if args.json else text
    print(shown.encode("utf-8", "backslashreplace").decode())  # the name of a file need not be UTF-8


def parser(program: str, add: Sequence[AddCommands]) -> argparse.ArgumentParser:
    """The parser of a command line with all commands added."""
    whole = argparse.ArgumentParser(program, description="Ask your knowledge base; every sentence is footnoted.")
    commands: Commands = whole.add_subparsers(required=True, metavar="COMMAND")
    for add_commands in add:
        add_commands(commands)
    return whole


def main(whole: argparse.ArgumentParser, settings: type[IndexSettings], argv: Sequence[str] | None = None) -> int:
    """Parse `argv`, run the command it names, and turn every expected error into a message and an exit code."""
    args = whole.parse_args(argv)
    try:
        return int(args.run(args, settings()))
    except ValidationError as error:
        return _fail(args, _bad_settings(error), USAGE)
    except IndexBusy as error:
        return _fail(args, str(error), BUSY)
    except FootnoteError as error:
        return _fail(args, str(error), FAILED)
    except BrokenPipeError:  # the reader (`head`, a pager) has seen enough
        sys.stderr.close()
        return OK
    except (OSError, sqlite3.Error) as error:
        return _fail(args, f"{error}. Check the path, its permissions and the space on the disk.", FAILED)
    except KeyboardInterrupt:
        return _fail(args, "Stopped. What was embedded is kept: run the same command to go on.", FAILED)


def _bad_settings(error: ValidationError) -> str:
    lines = [f"FOOTNOTE_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors()]
    return "A setting is not valid. " + "; ".join(lines)


def _fail(args: argparse.Namespace, message: str, code: int) -> int:
    if args.json:
        print(json.dumps({"error": message, "exit_code": code}, ensure_ascii=False))
    else:
        print(f"footnote: {message}", file=sys.stderr)
    return code
