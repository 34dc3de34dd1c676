"""R9: a damaged embedding model is made anew; without one, keywords answer, the answers say so, and nothing fails."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from indexes.models.embedding import Embedder
from indexes.models.export_folder import META_FILE, MODEL_FILE, TOKENIZER_FILE
from indexes.types import FloatMatrix
from qa.embedding_deadline import DeadlineEmbedder
from tests.conftest import ROOT, make_services
from tests.faults.ingests import Driver, write_revision
from tests.faults.serving import Server
from web.admission import WorkSlots
from web.app import create_app

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


def halved(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flipped(content: bytes) -> bytes:
    place = len(content) // 2
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.fixture(
    params=[(MODEL_FILE, flipped), (MODEL_FILE, halved), (TOKENIZER_FILE, flipped), (META_FILE, flipped)],
    ids=["model flipped", "model halved", "tokenizer flipped", "settings flipped"],
)
def damaged(request: pytest.FixtureRequest, tmp_path: Path, embedder: Embedder) -> Path:
    """A folder of models in which the one has a damaged file."""
    name, damage = request.param
    folder = shutil.copytree(ROOT / "var/models" / embedder.id, tmp_path / "models" / embedder.id)
    (folder / name).write_bytes(damage((folder / name).read_bytes()))
    return tmp_path / "models"


def test_a_model_that_is_damaged_is_made_anew(index: Path, serve: Serve, damaged: Path) -> None:
    client = serve(index, FOOTNOTE_MODELS=str(damaged)).client()
    status, answer = client.ask(QUESTIONS[0])
    assert (status, answer["degraded"]) == (200, [])
    assert answer["passages"]


def test_a_model_that_is_damaged_and_cannot_be_made_anew_leaves_keyword_answers(
    index: Path, serve: Serve, damaged: Path, tmp_path: Path
) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('no torch on this machine')")
    require_keyword_answers(serve(index, FOOTNOTE_MODELS=str(damaged), PYTHONPATH=str(tmp_path)))


@dataclass
class Hanging:
    """A model that never answers, until the test is over."""

    over: threading.Event

    def embed_question(self, text: str) -> FloatMatrix:
        self.over.wait()
        return np.zeros((1, 384), dtype=np.float32)


def test_a_model_that_hangs_leaves_keyword_answers(index: Path, tmp_path: Path) -> None:
    hanging = Hanging(threading.Event())
    embedder = DeadlineEmbedder(hanging, workers=2, deadline=0.2)
    with (
        make_services(index, embedder, tmp_path) as services,
        TestClient(
            create_app(services, max_body=262_144, slots=WorkSlots(2, 64)), raise_server_exceptions=False
        ) as client,
    ):
        for question in QUESTIONS:
            response = client.post("/api/v1/ask", json={"question": question})
            assert response.status_code == 200
            assert response.json()["degraded"] == ["vectors"]
    hanging.over.set()
