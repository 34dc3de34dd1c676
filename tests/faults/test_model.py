"""R9: without a usable embedding model, keywords answer, the answers say so, and nothing fails."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from indexes.models import find_model
from tests.conftest import ROOT
from tests.faults.ingests import Driver, write_revision
from tests.faults.serving import Server

Serve = Callable[..., Server]
QUESTIONS = ("Which port does the service 2 listen on?", "How do I restart service 3?", "and a follow-up?", "?!", "x")


@pytest.fixture
def index(driver: Driver, source: Path, root: Path) -> Path:
    write_revision(source, 1)
    assert driver.ingest(source, root).code == 0
    return root


def require_keyword_answers(server: Server) -> None:
    client = server.client()
    for question in QUESTIONS:
        status, answer = client.ask(question)
        assert status == 200
        assert answer["degraded"] == ["vectors"]
    assert "8002" in str(client.ask(QUESTIONS[0])[1]["passages"][0])
    assert client.get("/api/v1/search?q=restart")[0] == 200
    assert client.get("/api/v1/status")[1]["degraded"] == ["vectors"]
    assert client.get("/readyz")[0] == 200


def test_a_model_that_is_not_there_leaves_keyword_answers(index: Path, serve: Serve) -> None:
    require_keyword_answers(serve(index, FOOTNOTE_MODEL="no-such-model"))


EXPORTED = sorted(path.name for path in (ROOT / "var/models" / find_model("all-MiniLM-L6-v2").id).iterdir())


@pytest.mark.parametrize("name", EXPORTED)
@pytest.mark.parametrize("damage", [lambda content: content[:-1], lambda content: b"", lambda content: content[::-1]])
def test_a_model_that_is_damaged_leaves_keyword_answers(
    index: Path, serve: Serve, tmp_path: Path, name: str, damage: Callable[[bytes], bytes]
) -> None:
    id = find_model("all-MiniLM-L6-v2").id
    folder = shutil.copytree(ROOT / "var/models" / id, tmp_path / "models" / id)
    (folder / name).write_bytes(damage((folder / name).read_bytes()))
    require_keyword_answers(serve(index, FOOTNOTE_MODELS=str(tmp_path / "models")))
