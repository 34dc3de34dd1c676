"""The exported model gives the vectors of sentence-transformers, and is refused when it is not whole."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from indexes.embedding import OnnxEmbedder, load_embedder
from indexes.errors import ModelUnavailable
from indexes.models import BUNDLED, META_FILE, MODEL_FILE, TOKENIZER_FILE, find_model
from tests.conftest import ROOT

TEXTS = [
    "How long should an access token live?",
    "Rotating refresh tokens › Detecting reuse\nRevoke the whole token family at once.",
    "```yaml\nrefresh_ttl: 30d\n```",
    "| 503 | Yes, after `Retry-After` |",
    "x",
    "Ключ 🔑 令牌",
    "maximumPoolSize = 10 and idleTimeout = 600000 in HikariCP; 503 Service Unavailable. " * 20,
]


@pytest.fixture
def exported(embedder: OnnxEmbedder, tmp_path: Path) -> Path:
    """A copy of the exported model's folder; the model itself is a link to save 90 MB."""
    source, copy = ROOT / "var" / "models" / embedder.id, tmp_path / "model"
    copy.mkdir()
    for name in (META_FILE, TOKENIZER_FILE):
        shutil.copy(source / name, copy / name)
    (copy / MODEL_FILE).symlink_to(source / MODEL_FILE)
    return copy


def test_the_exported_model_equals_sentence_transformers(embedder: OnnxEmbedder) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sentence_transformers import SentenceTransformer

        reference = SentenceTransformer(str(find_model(BUNDLED).folder), device="cpu")
        passages = reference.encode_document(TEXTS, normalize_embeddings=True)
        questions = reference.encode_query(TEXTS, normalize_embeddings=True)
    assert (embedder.embed_passages(TEXTS) * passages).sum(axis=1).min() >= 0.9999
    ours = np.concatenate([embedder.embed_question(text) for text in TEXTS])
    assert (ours * questions).sum(axis=1).min() >= 0.9999


def test_vectors_are_unit_rows_in_the_order_of_the_texts(embedder: OnnxEmbedder) -> None:
    vectors = embedder.embed_passages(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.dimension)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)
    alone = np.concatenate([embedder.embed_passages([text]) for text in TEXTS])
    assert (vectors * alone).sum(axis=1).min() > 0.9999


def test_batches_cover_every_text_once_and_short_texts_come_first(embedder: OnnxEmbedder) -> None:
    texts = [f"word {'and more ' * (n % 5)}{n}" for n in range(40)]
    batches = [places for places, _ in embedder.passage_batches(texts)]
    assert sorted(place for places in batches for place in places) == list(range(40))
    lengths = [len(texts[place]) for places in batches for place in places]
    assert lengths == sorted(lengths)


def test_done_hears_of_every_batch(embedder: OnnxEmbedder) -> None:
    heard: list[int] = []
    embedder.embed_passages([f"text {n}" for n in range(20)], heard.append)
    assert heard == [16, 4]


def test_no_texts_give_no_vectors(embedder: OnnxEmbedder) -> None:
    assert embedder.embed_passages([]).shape == (0, embedder.dimension)


def test_a_text_longer_than_the_model_reads_is_counted(embedder: OnnxEmbedder) -> None:
    assert embedder.truncated(["short", "word " * (embedder.max_tokens + 10), "also short"]) == 1


def test_an_exported_model_opens_from_its_folder(exported: Path, embedder: OnnxEmbedder) -> None:
    opened = OnnxEmbedder.open(exported, threads=1)
    assert (opened.id, opened.dimension) == (embedder.id, embedder.dimension)
    assert opened.embed_question("token") == pytest.approx(embedder.embed_question("token"), abs=1e-5)


@pytest.mark.parametrize("name", [MODEL_FILE, TOKENIZER_FILE])
def test_a_damaged_exported_model_is_refused_saying_what_to_delete(exported: Path, name: str) -> None:
    content = (exported / name).read_bytes()[:100_000]
    (exported / name).unlink()
    (exported / name).write_bytes(content)
    with pytest.raises(ModelUnavailable, match=rf"{name} is damaged: delete the folder {exported}"):
        OnnxEmbedder.open(exported, threads=1)


@pytest.mark.parametrize("name", [MODEL_FILE, TOKENIZER_FILE, META_FILE])
def test_an_exported_model_with_a_missing_file_is_refused(exported: Path, name: str) -> None:
    (exported / name).unlink()
    with pytest.raises(ModelUnavailable, match="delete that folder"):
        OnnxEmbedder.open(exported, threads=1)


@pytest.mark.parametrize("meta", ["", "{", "[]", "{}", "null"])
def test_garbled_settings_of_an_exported_model_are_refused(exported: Path, meta: str) -> None:
    (exported / META_FILE).write_text(meta)
    with pytest.raises(ModelUnavailable, match="delete that folder"):
        OnnxEmbedder.open(exported, threads=1)


def test_settings_that_lack_a_field_are_refused(exported: Path) -> None:
    meta = json.loads((exported / META_FILE).read_text())
    del meta["question_prompt"]
    (exported / META_FILE).write_text(json.dumps(meta))
    with pytest.raises(ModelUnavailable, match="question_prompt"):
        OnnxEmbedder.open(exported, threads=1)


# --- finding a model


def test_the_bundled_model_is_named_by_its_weights_and_settings(embedder: OnnxEmbedder) -> None:
    source = find_model(BUNDLED)
    assert source.id == embedder.id == f"{BUNDLED}@{source.weights_sha256[:12]}"


@pytest.mark.parametrize("name", ["acme/no-such-model", "no such/name at all//", ""])
def test_an_unknown_model_says_how_to_get_it(name: str, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"hf download|model\.safetensors"):
        load_embedder(name, tmp_path)


def test_an_unknown_model_is_refused_without_a_network() -> None:
    """In a process of its own, in which nothing has asked the hub to stay offline."""
    script = "from indexes.models import find_model; find_model('acme/no-such-model')"
    environment = {key: value for key, value in os.environ.items() if key != "HF_HUB_OFFLINE"}
    command = [sys.executable, "-c", script]
    finished = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=20, check=False)
    assert "ModelUnavailable: No embedding model 'acme/no-such-model'" in finished.stderr
    assert "hf download acme/no-such-model" in finished.stderr


def test_a_folder_without_weights_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"holds no model weights \(model\.safetensors\)"):
        load_embedder(str(tmp_path), tmp_path / "models")


# --- what is loaded

IMPORTING = """
import importlib, pkgutil, sys
for package in ("indexes", "qa"):
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
        if not module.name.endswith(".__main__"):
            importlib.import_module(module.name)
print(*sorted({name.split(".")[0] for name in sys.modules}))
"""


def test_importing_qa_and_indexes_loads_no_torch_no_web_framework_and_no_ingest() -> None:
    finished = subprocess.run([sys.executable, "-c", IMPORTING], capture_output=True, text=True, check=True)
    loaded = set(finished.stdout.split())
    assert {"indexes", "qa", "faiss", "onnxruntime"} <= loaded
    assert loaded & {"torch", "sentence_transformers", "transformers", "fastapi", "starlette", "ingest", "web"} == set()


_TINY_MODEL = """
import sys, torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.models import Pooling, Transformer
from transformers import AutoTokenizer, DistilBertConfig, DistilBertModel
torch.manual_seed(0)
bundled, folder = sys.argv[1:]
DistilBertModel(DistilBertConfig(dim=32, n_layers=1, n_heads=2, hidden_dim=64)).save_pretrained(folder + "-hf")
AutoTokenizer.from_pretrained(bundled).save_pretrained(folder + "-hf")
modules = [Transformer(folder + "-hf", max_seq_length=64), Pooling(32, pooling_mode="cls")]
model = SentenceTransformer(modules=modules, device="cpu", prompts={"query": "query: ", "document": "passage: "})
model.save(folder)
print(*model.encode_query("How are tokens rotated?", normalize_embeddings=True))
"""


def test_a_model_of_another_kind_works_from_its_folder_with_its_own_prompts_and_pooling(tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    made = subprocess.run(
        [sys.executable, "-c", _TINY_MODEL, str(find_model(BUNDLED).folder), str(folder)],
        capture_output=True, text=True, check=True, env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    expected = np.array(made.stdout.split(), dtype=np.float32)
    tiny = load_embedder(str(folder), tmp_path / "models")
    assert (tiny.dimension, tiny.max_tokens) == (32, 64)
    assert float(tiny.embed_question("How are tokens rotated?")[0] @ expected) >= 0.9999
