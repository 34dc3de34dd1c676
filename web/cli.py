"""The `footnote` command, and which module adds which of its commands."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from importlib import import_module

from indexes import console
from indexes.console import Commands
from web.settings import Settings


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code (0 ok, 1 failed, 2 usage, 75 busy)."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # nothing here may reach for the network
    line = sys.argv[1:] if argv is None else argv
    return console.main(parser(line), Settings, line)


def parser(line: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The parser for a command line: of its one command, whose modules alone are loaded, or else of all commands."""
    named = [module for module, names in MODULES.items() if line and line[0] in names]
    return console.parser("footnote", [partial(_add_commands, module) for module in named or MODULES])


# Module → the commands it adds, in the order of `footnote --help`.
MODULES: Mapping[str, Sequence[str]] = {
    "ingest.commands": ("ingest",),
    "web.commands.serve": ("serve",),
    "web.commands.keys": ("keys",),
    "web.commands.mcp": ("mcp",),
    "qa.commands": ("ask", "search"),
    "web.commands.evaluate": ("evaluate",),
    "indexes.commands": ("status", "verify", "snapshots", "rollback"),
    "web.commands.doctor": ("doctor",),
}


def _add_commands(module: str, commands: Commands) -> None:
    import_module(module).add_commands(commands)


if __name__ == "__main__":
    sys.exit(main())
