"""`footnote ingest --watch`, as a shell runs it: follows changes, outlives errors, ends cleanly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from indexes.snapshots.publishing import writing
from tests.conftest import ROOT, TINY, write_articles


class Follower:
    """A running `ingest --watch --json`, read line by line."""

    def __init__(self, *arguments: object) -> None:
        command = [sys.executable, "-m", "ingest", "ingest", "--watch", "--json", *map(str, arguments)]
        environment = {**os.environ, "FOOTNOTE_MODELS": str(ROOT / "var" / "models")}
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)

    def line(self) -> dict[str, Any]:
        """The next thing it tells."""
        assert self._process.stdout is not None
        line: dict[str, Any] = json.loads(self._process.stdout.readline())
        return line

    def interrupt(self) -> int:
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(timeout=60)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_articles(tmp_path / "source", TINY)


@pytest.fixture
def follower(source: Path) -> Iterator[Follower]:
    """Follows a folder that holds its own index, as `footnote ingest . --watch` does."""
    follower = Follower(source, "--index", source / "index")
    yield follower
    follower.close()


def test_changes_of_a_folder_are_followed_errors_outlived_and_ctrl_c_ends_it(source: Path, follower: Follower) -> None:
    assert len(follower.line()["added"]) == 5

    with writing(source / "index"):  # between two syncs the lock is free
        write_articles(source, {"pools": "# Pools\n\nA pool holds ten connections."})
        assert "is being written by process" in follower.line()["error"]
    assert follower.line()["added"] == ["pools"]

    (source / "pools.md").unlink()
    assert follower.line()["removed"] == ["pools"]

    (source / "caching.md").write_bytes(b"caf\xe9")
    report = follower.line()
    assert (report["generation"], [skipped["id"] for skipped in report["skipped"]]) == (None, ["caching"])
    assert follower.interrupt() == 0
