"""Schemathesis against a running server: every request its OpenAPI document allows, and many it does not.

No answer may be a 5xx, and each must be as the document says: status, media type, headers, shape. Who may not gets 401,
what is not valid is refused, what is valid is not. `make fuzz` runs 20,000 cases, `make fuzz-short` what fits into a
minute (FOOTNOTE_FUZZ=short).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from indexes.models.embedding import Embedder
from ingest.chunking import Chunker
from ingest.sync import Synchroniser
from tests.conftest import TINY, quiet, write_articles
from tests.faults.serving import Server
from web.access.keys import Keys
from web.access.principals import SCOPES
from web.access.sqlite_keys import SqliteKeyStore

SHORT = os.environ.get("FOOTNOTE_FUZZ") == "short"
CASES = 1_200 if SHORT else 20_000
A_ROUTE = 20 if SHORT else 1_950  # those of some routes are exhausted sooner
CONFIG = Path(__file__).parent / "schemathesis.toml"
UNLIMITED = {"FOOTNOTE_RATE_ASK": "", "FOOTNOTE_RATE_READ": "", "FOOTNOTE_RATE_FAILURE": ""}


@pytest.fixture
def key(tmp_path: Path) -> str:
    keys = Keys(SqliteKeyStore(tmp_path / "keys.sqlite"))
    presented = keys.create("fuzz", tuple(SCOPES))[1]
    keys.close()
    return presented


@pytest.fixture
def server(tmp_path: Path, embedder: Embedder, chunker: Chunker, key: str) -> Iterator[Server]:
    """`footnote serve` over the tiny articles, as others reach it: nobody gets in without the key."""
    source = write_articles(tmp_path / "source", TINY)
    Synchroniser(tmp_path / "index", embedder, chunker, 3, quiet).sync([source])
    server = Server.start(
        tmp_path / "index",
        tmp_path,
        **UNLIMITED,
        FOOTNOTE_PUBLIC_URL="https://kb.example",
        FOOTNOTE_KEYS=str(tmp_path / "keys.sqlite"),
    )
    yield server
    server.close()


def test_every_route_answers_as_the_openapi_document_says(server: Server, key: str, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    address = f"http://{server.address}/openapi.json"
    command = [
        str(Path(sys.executable).parent / "schemathesis"),
        "--config-file",
        str(CONFIG),
        "run",
        address,
        "--header",
        f"Authorization: Bearer {key}",
        "--max-examples",
        str(A_ROUTE),
        "--continue-on-failure",
        "--generation-database",
        "none",
        "--report-json-path",
        str(report),
        "--no-color",
        "--wait-for-schema",
        "60",
    ]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    told: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    said = [line for line in (tmp_path / "server.log").read_text(encoding="utf-8").splitlines() if "unexpected" in line]
    print(f"schemathesis: {told['test_cases']['generated']} cases over {told['operations']['tested']} routes")
    assert ran.returncode == 0, ran.stdout[-20_000:]
    assert told["operations"]["tested"] == told["operations"]["total"] > 15
    assert told["test_cases"]["generated"] >= CASES
    assert said == []
