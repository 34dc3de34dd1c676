"""R8: an index of an older format, a newer one, or another embedding model is rebuilt or refused, with what to run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from indexes.files import seal
from indexes.snapshots.publishing import current_generation
from indexes.snapshots.snapshot import MANIFEST
from tests.conftest import ROOT
from tests.faults.ingests import Driver, contents, require_tidy, write_revision

Tell = Callable[[str], None]


@pytest.fixture
def wanted(driver: Driver, source: Path, root: Path) -> dict[str, str]:
    """What an index at revision 1 holds, which lies at `root`."""
    wanted = write_revision(source, 1)
    assert driver.ingest(source, root).code == 0
    return wanted


def rewrite(root: Path, **fields: Any) -> None:
    """Make the manifest of the current snapshot another one that is whole."""
    path = root / str(current_generation(root)) / MANIFEST
    changed = {**json.loads(path.read_text()), **fields}
    del changed["seal"]
    path.write_text(json.dumps({**changed, "seal": seal(changed)}))


def refused(command: str, root: Path) -> str:
    """What the command says; it must fail, in one line."""
    line = [
        sys.executable,
        "-m",
        "web",
        command,
        *(["--port", "0"] if command == "serve" else []),
        "--index",
        str(root),
    ]
    finished = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert finished.returncode == 1
    assert finished.stderr.count("footnote: ") == 1
    assert "Traceback" not in finished.stderr
    return finished.stderr


def test_an_older_format_is_refused_with_the_ingest_that_rebuilds_it(
    driver: Driver, wanted: dict[str, str], source: Path, root: Path, tell: Tell
) -> None:
    rewrite(root, format_version=0)
    assert f"run `footnote ingest {source}` to rebuild it" in refused("serve", root)
    assert f"run `footnote ingest {source}` to rebuild it" in refused("status", root)
    assert driver.ingest(source, root).code == 0
    assert contents(root) == wanted
    tell("R8: older format refused by the server naming the ingest that then rebuilt it; newer and other model refused")


def test_a_newer_format_is_refused_by_readers_and_writers_alike(
    driver: Driver, wanted: dict[str, str], source: Path, root: Path
) -> None:
    rewrite(root, format_version=1_000)
    assert "upgrade Footnote" in refused("serve", root)
    assert "upgrade Footnote" in refused("status", root)
    ended = driver.ingest(source, root)
    assert ended.code == 1
    assert "upgrade Footnote" in ended.output
    assert current_generation(root) == "000001"


def test_the_index_of_another_model_is_refused_until_it_is_embedded_anew(
    driver: Driver, wanted: dict[str, str], source: Path, root: Path
) -> None:
    assert driver.ingest(source, root, model="another-model@1").code == 0
    said = refused("serve", root)
    assert "another-model@1" in said
    assert f"footnote ingest {source}" in said
    assert driver.ingest(source, root).code == 0
    assert contents(root) == wanted
    require_tidy(root)
