"""`make faults` runs these at their full figures, `make faults-short` (FOOTNOTE_FAULTS=short) at a tenth of them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from indexes.models.embedding import Embedder
from tests.faults.ingests import Driver
from tests.faults.serving import Server


def may_trace() -> bool:
    """Whether strace is there and allowed: a container may forbid it."""
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, check=False).returncode == 0


needs_strace = pytest.mark.skipif(not may_trace(), reason="needs strace, and the right to trace")
SHORT = os.environ.get("FOOTNOTE_FAULTS") == "short"


def figure(full: int, short: int) -> int:
    return short if SHORT else full


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Iterator[Driver]:
    driver = Driver.start(tmp_path_factory.mktemp("driver"), embedder.id)
    yield driver
    driver.close()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers over an index, with settings; they end with the test."""
    servers: list[Server] = []

    def start(root: Path, **environment: str) -> Server:
        servers.append(Server.start(root, tmp_path, **environment))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "source"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "index"


_told: list[str] = []


@pytest.fixture(scope="session")
def tell() -> Callable[[str], None]:
    """Says a figure, at the end of the run."""
    return _told.append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in _told:
        terminalreporter.write_line(line)
