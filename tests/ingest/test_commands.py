"""`footnote ingest`: exit codes, messages, JSON. Run as a shell does, or in this process, where it starts at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from indexes.console import main, parser
from indexes.settings import IndexSettings
from indexes.snapshots.publishing import current_generation, writing
from ingest.commands import ProgressBar, add_commands, describe
from ingest.sources.items import Skipped
from ingest.sync import Report
from tests.conftest import ROOT, TINY, write_articles

MODELS = ROOT / "var" / "models"


@pytest.fixture(autouse=True)
def _models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTNOTE_MODELS", str(MODELS))


def ingest(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ingest", "ingest", *map(str, arguments)]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def ingest_here(*arguments: object) -> int:
    """The exit code; what was printed is in `capsys`."""
    return main(parser("footnote", [add_commands]), IndexSettings, ["ingest", *map(str, arguments)])


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_articles(tmp_path / "source", TINY)


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / "index"


def test_an_ingest_reports_what_it_did_a_second_that_nothing_changed_and_a_full_one_starts_anew(
    source: Path, index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (source / "latin.md").write_bytes(b"caf\xe9")
    (source / "logo.png").write_bytes(b"")
    first = ingest(source, "--index", index)
    assert (first.returncode, first.stderr) == (0, "")
    assert "5 articles, 9 chunks: 5 added, 0 changed, 0 removed, 0 unchanged, 1 skipped." in first.stdout
    assert f"skipped {source / 'latin.md'}: not UTF-8 (byte 0xe9 at 3): save it as UTF-8\n" in first.stdout
    assert "ignored (no articles): 1 .png\n" in first.stdout

    assert ingest_here(source, "--index", index, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["generation"], report["unchanged"]) == (None, 5)
    (skipped,) = report["skipped"]
    assert (skipped["id"], skipped["kept"]) == ("latin", False)
    assert "not UTF-8" in skipped["reason"]

    assert ingest_here(source, "--index", index, "--full", "--json") == 0
    full = json.loads(capsys.readouterr().out)
    assert (full["embedded"], full["reused"], full["generation"]) == (9, 0, "000002")


def test_a_missing_folder_fails_before_any_work(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ingest_here("/no/such/folder", "--index", index) == 1
    assert capsys.readouterr() == ("", "footnote: There is no file or folder /no/such/folder: check the path.\n")
    assert not index.exists()


def test_an_empty_folder_fails_and_says_what_an_article_is(
    tmp_path: Path, index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert ingest_here(tmp_path / "empty", "--index", index, "--json") == 1
    error = json.loads(capsys.readouterr().out)
    assert error["exit_code"] == 1
    assert (
        f"No article could be read from {tmp_path / 'empty'}: an article is a Markdown, HTML, PDF or Word file"
        in error["error"]
    )
    assert current_generation(index) is None


def test_no_source_is_a_usage_error(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        ingest_here("--index", index)
    assert exited.value.code == 2
    assert "SOURCE" in capsys.readouterr().err


def test_a_second_ingest_is_busy_and_names_the_first(source: Path, index: Path) -> None:
    with writing(index):
        finished = ingest(source, "--index", index)
    assert finished.returncode == 75
    assert f"is being written by process {os.getpid()} on " in finished.stderr


def test_a_file_name_that_is_not_utf_8_can_be_reported(source: Path, index: Path) -> None:
    Path(os.fsdecode(os.fsencode(source) + b"/caf\xe9.md")).write_text("Text.")
    Path(os.fsdecode(os.fsencode(source) + b"/logo.p\xe9g")).write_text("")
    finished = ingest(source, "--index", index)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert "its name is not UTF-8: rename it" in finished.stdout


def test_an_index_that_cannot_be_a_folder_is_an_error_not_a_crash(
    source: Path, index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index.write_text("no folder")
    assert ingest_here(source, "--index", index) == 1
    assert str(index) in capsys.readouterr().err


def test_a_long_list_of_skipped_files_is_cut_and_says_so() -> None:
    skipped = tuple(Skipped(f"a{n}.md", "no text", f"a{n}", kept=n == 0) for n in range(25))
    report = Report("000001", 1, 1, ("b",), (), (), 0, skipped, {".png": 2, ".css": 1}, 1, 0, 3, 0.5, ("A note.",))
    lines = describe(report).splitlines()
    assert lines[1] == "1 chunks embedded, 0 reused, in 0.5 s."
    assert "A note." in lines
    assert "3 chunks are longer than the model reads; lower FOOTNOTE_CHUNK_TOKENS." in lines
    assert "skipped a0.md: no text (its last version stays)" in lines
    assert "… and 5 more: see --json." in lines
    assert lines[-1] == "ignored (no articles): 1 .css, 2 .png"


def test_progress_is_silent_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressBar() as progress:
        progress.update("Reading", 1, 0)
        progress.update("Embedding", 16, 32)
        progress.update("Embedding", 32, 32)
    assert capsys.readouterr() == ("", "")
