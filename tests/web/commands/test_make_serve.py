"""`make serve` becomes its server, so that whoever ends one ends the other."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from tests.conftest import ROOT
from tests.web.live_servers import PATIENCE, eventually


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Something that `make` takes for an installation and an index, with a server that only waits."""
    for file in ("venv/.installed", "index/CURRENT"):
        (tmp_path / file).parent.mkdir()
        (tmp_path / file).touch()
    server = tmp_path / "venv" / "bin" / "footnote"
    server.parent.mkdir()
    server.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/new\nmv {tmp_path}/new {tmp_path}/pid\nexec sleep 600\n")
    server.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("told", ["make", "what make started"])
def test_nothing_is_left_where_make_or_what_it_started_is_ended(installed: Path, told: str) -> None:
    command = ["make", "serve", f"VENV={installed / 'venv'}", f"INDEX={installed / 'index'}"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as make:
        eventually((installed / "pid").exists)
        server = psutil.Process(int((installed / "pid").read_text()))
        assert psutil.Process(make.pid).children() == [server]
        (make if told == "make" else server).terminate()
        make.wait(PATIENCE)
        eventually(lambda: not server.is_running())
