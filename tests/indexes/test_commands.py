"""`status`, `verify`, `snapshots` and `rollback`, as a shell runs them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from indexes.commands import add_commands
from indexes.console import main, parser
from indexes.models.embedding import Embedder
from indexes.settings import IndexSettings
from indexes.snapshots.publishing import current_generation, point_current, writing
from indexes.snapshots.snapshot import VECTORS
from tests.conftest import ROOT


@pytest.fixture
def root(two_snapshots: Path, tmp_path: Path) -> Path:
    return shutil.copytree(two_snapshots, tmp_path / "index")


def run(*arguments: object) -> int:
    """The command line in this process: the same parser, messages and exit codes."""
    return main(parser("footnote", [add_commands]), IndexSettings, [str(argument) for argument in arguments])


def shell(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own."""
    command = [sys.executable, "-m", "indexes", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env={**os.environ, **environment}, check=False
    )


def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def damage(root: Path, generation: str) -> None:
    (root / generation / VECTORS).write_bytes(b"rot")


# --- in a shell


def test_status_says_what_the_current_index_holds(root: Path, embedder: Embedder) -> None:
    finished = shell("status", "--index", root)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert "generation  000002" in finished.stdout
    assert "articles    4" in finished.stdout
    assert re.search(r"^spans       \d+ with a vector$", finished.stdout, re.MULTILINE)
    assert embedder.id in finished.stdout


def test_the_index_may_be_named_by_the_environment(root: Path) -> None:
    finished = shell("status", "--json", FOOTNOTE_INDEX=str(root))
    assert json.loads(finished.stdout)["articles"] == 4


def test_without_an_index_it_fails_in_one_line_saying_what_to_run(tmp_path: Path) -> None:
    finished = shell("status", "--index", tmp_path / "none")
    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr == (
        f"footnote: There is no index at {tmp_path / 'none'} yet: run `footnote ingest SOURCE`, or `make serve`.\n"
    )


def test_a_wrong_setting_is_a_usage_error_that_names_it(root: Path) -> None:
    finished = shell("status", "--index", root, FOOTNOTE_KEEP="none")
    assert finished.returncode == 2
    assert "FOOTNOTE_KEEP" in finished.stderr
    assert "Traceback" not in finished.stderr


# --- every command


@pytest.mark.parametrize("arguments", [[], ["unheard-of"], ["status", "--unheard-of"]])
def test_a_wrong_command_line_is_a_usage_error(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(*arguments)
    assert ended.value.code == 2
    assert "usage: footnote" in capsys.readouterr().err


def test_an_error_with_json_is_one_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("status", "--index", tmp_path, "--json") == 1
    error = printed(capsys)
    assert error["exit_code"] == 1
    assert "footnote ingest" in error["error"]


@pytest.mark.parametrize("command", ["status", "verify", "snapshots", "rollback"])
def test_an_index_that_is_a_file_is_an_error_not_a_crash(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "index").write_text("no folder")
    assert run(command, "--index", tmp_path / "index") in (0, 1)
    assert str(tmp_path / "index") in "".join(capsys.readouterr())


def test_status_of_a_damaged_index_fails_and_says_what_answers(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damage(root, "000002")
    assert run("status", "--index", root) == 1
    shown = capsys.readouterr().out
    assert "generation  000001" in shown
    assert "000002 is damaged" in shown
    assert "Until then snapshot 000001 answers" in shown


def test_verify_checks_every_snapshot(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("verify", "--index", root) == 0
    assert capsys.readouterr().out == "000001  whole\n000002  whole\n"
    damage(root, "000001")
    assert run("verify", "--index", root, "--json") == 1
    first, second = printed(capsys)["snapshots"]
    assert (first["generation"], first["whole"]) == ("000001", False)
    assert f"{VECTORS} does not match" in first["problem"]
    assert second == {"generation": "000002", "whole": True, "problem": ""}


def test_verify_without_an_index_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("verify", "--index", tmp_path) == 1
    assert "footnote ingest SOURCE" in capsys.readouterr().err


def test_snapshots_lists_them_with_the_current_one_marked(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("snapshots", "--index", root) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("  000001  ")
    assert second.startswith("* 000002  ")
    assert run("snapshots", "--index", root, "--json") == 0
    rows = printed(capsys)["snapshots"]
    assert [(row["current"], row["articles"]) for row in rows] == [(False, 5), (True, 4)]
    assert rows[1]["changes"] == {"added": 0, "changed": 0, "removed": 1, "skipped": 0}


def test_snapshots_of_nothing_are_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("snapshots", "--index", tmp_path, "--json") == 0
    assert printed(capsys) == {"snapshots": []}


def test_rollback_returns_to_the_snapshot_before(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("rollback", "--index", root) == 0
    assert capsys.readouterr().out == "The current snapshot is now 000001.\n"
    assert current_generation(root) == "000001"
    assert run("rollback", "--index", root) == 1
    assert "no snapshot before 000001" in capsys.readouterr().err


def test_rollback_goes_to_the_snapshot_named_forward_too(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("rollback", "000001", "--index", root) == 0
    assert run("rollback", "000002", "--index", root, "--json") == 0
    assert json.loads(capsys.readouterr().out.split("\n", 1)[1]) == {"generation": "000002"}
    assert current_generation(root) == "000002"


@pytest.mark.parametrize("generation", ["000009", "..", "/etc"])
def test_rollback_to_what_is_no_snapshot_changes_nothing(root: Path, generation: str) -> None:
    assert run("rollback", generation, "--index", root) == 1
    assert current_generation(root) == "000002"


def test_rollback_never_leads_out_of_the_index(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root / "000001", tmp_path / "elsewhere")
    assert run("rollback", "../elsewhere", "--index", root) == 1
    assert current_generation(root) == "000002"


def test_rollback_to_a_damaged_snapshot_is_refused(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damage(root, "000001")
    assert run("rollback", "--index", root) == 1
    assert "damaged" in capsys.readouterr().err
    assert current_generation(root) == "000002"


def test_rollback_passes_over_damaged_snapshots(root: Path) -> None:
    shutil.copytree(root / "000002", root / "000003")
    point_current(root, "000003")
    damage(root, "000002")
    assert run("rollback", "--index", root) == 0
    assert current_generation(root) == "000001"


def test_rollback_leaves_a_damaged_current_snapshot_behind(root: Path) -> None:
    damage(root, "000002")
    assert run("rollback", "--index", root) == 0
    assert run("status", "--index", root) == 0


def test_rollback_during_an_ingest_is_busy(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with writing(root):
        assert run("rollback", "--index", root) == 75
    assert f"process {os.getpid()}" in capsys.readouterr().err
    assert current_generation(root) == "000002"


def test_rollback_makes_no_index_where_there_is_none(tmp_path: Path) -> None:
    assert run("rollback", "--index", tmp_path / "mistyped") == 1
    assert not (tmp_path / "mistyped").exists()
