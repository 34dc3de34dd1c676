"""The exported model gives the vectors of sentence-transformers, one text at a time; what is no model is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import enumerate as enumerate_threads
from typing import cast

import numpy as np
import pytest

from indexes.errors import ModelUnavailable
from indexes.models.embedding import Embedder, load_embedder
from indexes.models.finding import BUNDLED, Precision, find_model
from indexes.models.sentence_transformers import ReferenceEmbedder, load_reference
from indexes.types import EmbeddedBatch, FloatMatrix, PassageText
from tests.conftest import ROOT
from tests.indexes.conftest import quietly

TEXTS = [
    "How long should an access token live?",
    "Rotating refresh tokens › Detecting reuse\nRevoke the whole token family at once.",
    "```yaml\nrefresh_ttl: 30d\n```",
    "| 503 | Yes, after `Retry-After` |",
    "x",
    "Ключ 🔑 令牌",
    "maximumPoolSize = 10 and idleTimeout = 600000 in HikariCP; 503 Service Unavailable. " * 20,
]

QUESTION = TEXTS[0]


@pytest.fixture(scope="module")
def reference() -> tuple[FloatMatrix, FloatMatrix]:
    """What sentence-transformers makes of TEXTS as passages, and as questions."""
    with quietly():
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(str(find_model(BUNDLED, "none").folder), device="cpu")
    passages = model.encode_document(TEXTS, normalize_embeddings=True)
    questions = model.encode_query(TEXTS, normalize_embeddings=True)
    return np.asarray(passages), np.asarray(questions)


@pytest.mark.parametrize(("precision", "smallest"), [("fp32", 0.9999), ("int8", 0.97)])
def test_the_exported_model_agrees_with_sentence_transformers(
    precision: Precision, smallest: float, reference: tuple[FloatMatrix, FloatMatrix]
) -> None:
    exported = load_embedder(BUNDLED, ROOT / "var" / "models", precision, "none")
    passages, questions = reference
    assert (exported.embed_passages(TEXTS) * passages).sum(axis=1).min() >= smallest
    ours = np.concatenate([exported.embed_question(text) for text in TEXTS])
    assert (ours * questions).sum(axis=1).min() >= smallest


def test_vectors_are_unit_rows_in_the_order_of_the_texts(embedder: Embedder) -> None:
    vectors = embedder.embed_passages(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.dimension)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)


def test_a_vector_depends_on_its_text_alone_to_the_last_bit(embedder: Embedder) -> None:
    alone = np.concatenate([embedder.embed_passages([text]) for text in TEXTS])
    assert np.array_equal(embedder.embed_passages(TEXTS), alone)
    with ThreadPoolExecutor(4) as pool:
        asked_at_once = list(pool.map(embedder.embed_question, TEXTS * 3))
    assert np.array_equal(np.concatenate(asked_at_once), np.concatenate([alone] * 3))


def test_batches_cover_every_text_once_in_order(embedder: Embedder) -> None:
    texts = [f"word {'and more ' * (n % 5)}{n}" for n in range(70)]
    batches = [batch.passages for batch in embedder.passage_batches([PassageText(text) for text in texts])]
    assert [len(batch) for batch in batches] == [32, 32, 6]
    vectors = [passage.vector for batch in batches for passage in batch]
    assert np.array_equal(np.stack(vectors), embedder.embed_passages(texts))


def test_a_reader_may_stop_after_the_first_batch(embedder: Embedder) -> None:
    batches = embedder.passage_batches([PassageText(f"text {n}") for n in range(100)])
    assert len(next(batches).passages) == 32
    cast("Generator[EmbeddedBatch]", batches).close()
    assert not [thread for thread in enumerate_threads() if thread.name.startswith("embedding")]


def test_no_texts_give_no_vectors(embedder: Embedder) -> None:
    assert embedder.embed_passages([]).shape == (0, embedder.dimension)


def test_a_text_longer_than_the_model_reads_is_counted(embedder: Embedder) -> None:
    texts = ["short", "word " * 300, "also short"]
    batches = embedder.passage_batches([PassageText(text) for text in texts])
    assert [batch.truncated for batch in batches] == [1]


# --- spans


PASSAGE = PassageText(
    "Tokens › Life\nAn access token lives for an hour. It is renewed 🔑 by its refresh token.\n" + "And so on. " * 120,
    ((0, 13), (14, 48), (49, 87), (14, 87), (1_200, 1_300), (0, 0)),
)


@pytest.mark.parametrize(("precision", "most"), [("fp32", 1), ("int8", 8)])
def test_a_span_is_the_mean_of_the_token_states_of_sentence_transformers(precision: Precision, most: int) -> None:
    exported = load_embedder(BUNDLED, ROOT / "var" / "models", precision, "none")
    with quietly():
        reference = ReferenceEmbedder.open(find_model(BUNDLED, "none").folder, "reference", 1, None)
        model = load_reference(find_model(BUNDLED, "none").folder, None)
    (ours,) = next(exported.passage_batches([PASSAGE])).passages
    (theirs,) = next(reference.passage_batches([PASSAGE])).passages
    states = model.encode_document(PASSAGE.text, output_value="token_embeddings").numpy()
    first = states[1:5].sum(axis=0)  # [CLS] token ##s › life: the context line
    assert np.array_equal(theirs.spans[0], np.rint(127 * first / np.linalg.norm(first)))
    assert ours.spans.shape == (6, exported.span_dimension) == (6, 384)
    assert np.abs(ours.spans.astype(int) - theirs.spans).max() <= most


def test_a_span_beyond_what_the_model_reads_gets_the_vector_of_its_passage(embedder: Embedder) -> None:
    (passage,) = next(embedder.passage_batches([PASSAGE])).passages
    whole = np.rint(127 * passage.vector)
    assert [np.array_equal(span, whole) for span in passage.spans] == [False] * 4 + [True] * 2


def test_spans_depend_on_their_passage_alone_to_the_last_bit_and_do_not_change_its_vector(embedder: Embedder) -> None:
    others = [PassageText(text, ((0, 1), (0, len(text)))) for text in TEXTS]
    (alone,) = next(embedder.passage_batches([PASSAGE])).passages
    among = next(embedder.passage_batches([*others, PASSAGE, *others])).passages[len(others)]
    assert np.array_equal(among.spans, alone.spans)
    assert np.array_equal(alone.vector, embedder.embed_passages([PASSAGE.text])[0])


# --- finding a model


def test_the_embedder_is_named_by_weights_settings_and_precision(embedder: Embedder) -> None:
    source = find_model(BUNDLED, "bundled")
    assert source.adapter is not None
    made_of = f"{BUNDLED}+{source.adapter.sha256[:8]}@{source.weights_sha256[:12]}"
    assert source.embedder_id("int8") == embedder.id == f"{made_of}-int8"


@pytest.mark.parametrize("name", ["acme/no-such-model", "no such/name at all//", ""])
def test_an_unknown_model_says_how_to_get_it(name: str, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"hf download|model\.safetensors"):
        load_embedder(name, tmp_path, "int8", "none")


def test_an_unknown_model_is_refused_without_a_network() -> None:
    """In a process of its own, in which nothing has asked the hub to stay offline."""
    script = "from indexes.models.finding import find_model; find_model('acme/no-such-model', 'none')"
    environment = {key: value for key, value in os.environ.items() if key != "HF_HUB_OFFLINE"}
    command = [sys.executable, "-c", script]
    finished = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=20, check=False)
    assert "ModelUnavailable: No embedding model 'acme/no-such-model'" in finished.stderr
    assert "hf download acme/no-such-model" in finished.stderr


def test_a_folder_without_weights_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"holds no model weights \(model\.safetensors\)"):
        load_embedder(str(tmp_path), tmp_path / "models", "int8", "none")


# --- what is loaded

IMPORTING = """
import importlib, pkgutil, sys
for package in ("indexes", "qa"):
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
        if not module.name.endswith((".__main__", ".env")):  # Alembic alone runs an env.py
            importlib.import_module(module.name)
print(*sorted({name.split(".")[0] for name in sys.modules}))
"""


def test_importing_qa_and_indexes_loads_no_torch_no_web_framework_and_no_ingest() -> None:
    finished = subprocess.run([sys.executable, "-c", IMPORTING], capture_output=True, text=True, check=True)
    loaded = set(finished.stdout.split())
    assert {"indexes", "qa", "faiss", "onnxruntime"} <= loaded
    assert loaded & {"torch", "sentence_transformers", "transformers", "fastapi", "starlette", "ingest", "web"} == set()
