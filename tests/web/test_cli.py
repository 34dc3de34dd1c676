"""The `footnote` command as a whole: each command is there, and loads no other's modules."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterable

import pytest

from tests.conftest import ROOT
from web.cli import MODULES, parser


def commands(whole: argparse.ArgumentParser) -> list[str]:
    (added,) = (action for action in whole._actions if isinstance(action, argparse._SubParsersAction))
    return list(added.choices)


def loaded(names: Iterable[str], line: list[str]) -> list[str]:
    """Which of these packages and modules a process has loaded that knows what to do with the command line."""
    code = f"import sys; from web.cli import parser; parser({line}); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in names if name in done.stdout.split()]


def test_every_module_adds_the_commands_that_it_is_said_to_add() -> None:
    assert commands(parser()) == [name for names in MODULES.values() for name in names]
    for names in MODULES.values():
        for name in names:
            assert commands(parser([name, "--json"])) == list(names)


@pytest.mark.parametrize("line", [[], ["--help"], ["sevre"]])
def test_where_no_command_is_named_all_are_known(line: list[str]) -> None:
    assert len(commands(parser(line))) == len(commands(parser())) > len(MODULES)


def test_the_supervisor_of_serving_processes_loads_little() -> None:
    heavy = ["numpy", "onnxruntime", "faiss", "fastapi", "bs4", "ingest.commands"]
    assert loaded(heavy, ["serve", "--port", "0"]) == []
    assert loaded(heavy, []) != []


def test_a_question_in_a_terminal_waits_for_no_web_framework() -> None:
    assert loaded(["fastapi", "starlette", "uvicorn", "ingest.commands", "torch"], ["ask", "x"]) == []
