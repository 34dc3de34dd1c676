"""Models of all kinds are exported once, anew if that rots, or served by sentence-transformers."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from indexes.errors import ModelUnavailable
from indexes.models.embedding import OnnxEmbedder, load_embedder
from indexes.models.export_folder import META_FILE, write_meta
from indexes.models.finding import BUNDLED, find_model
from indexes.models.sentence_transformers import ReferenceEmbedder, load_reference
from indexes.types import FloatVector, PassageText
from tests.indexes.conftest import quietly

QUESTION = "How long should an access token live?"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, FloatVector]:
    """A one-layer DistilBERT with prompts and CLS pooling, and its vector of QUESTION."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    with quietly():
        import torch
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.models import Pooling, Transformer
        from transformers import AutoTokenizer, DistilBertConfig, DistilBertModel

        torch.manual_seed(0)
        DistilBertModel(DistilBertConfig(dim=32, n_layers=1, n_heads=2, hidden_dim=64)).save_pretrained(f"{folder}-hf")
        AutoTokenizer.from_pretrained(find_model(BUNDLED, "none").folder).save_pretrained(f"{folder}-hf")
        modules = [Transformer(f"{folder}-hf", max_seq_length=64), Pooling(32, pooling_mode="cls")]
        prompts = {"query": "query: ", "document": "passage: "}
        model = SentenceTransformer(modules=modules, device="cpu", prompts=prompts)
        model.save(str(folder))
        return folder, np.asarray(model.encode_query(QUESTION, normalize_embeddings=True))


EXPORTING = """
import sys
from pathlib import Path
from indexes.models.embedding import load_embedder
load_embedder(sys.argv[1], Path(sys.argv[2]), "fp32", "none")
"""


@dataclass(frozen=True)
class Exported:
    """A folder of models in which a process that found the tiny one damaged was killed while it exported it anew."""

    models: Path
    told_by_the_killed: str
    told_by_the_waiting: str


@pytest.fixture(scope="module")
def exported(tiny: tuple[Path, FloatVector], tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """One export, which takes seconds, for all that needs one."""
    models = tmp_path_factory.mktemp("exported") / "models"
    damaged = models / find_model(str(tiny[0]), "none").embedder_id("fp32")
    damaged.mkdir(parents=True)
    write_meta(damaged, {"max_tokens": 64})
    (damaged / META_FILE).write_text((damaged / META_FILE).read_text().replace("64", "65"))
    command = [sys.executable, "-c", EXPORTING, str(tiny[0]), str(models)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as beginner:
        while not list(models.glob("export-*")):
            assert beginner.poll() is None
            time.sleep(0.02)
        beginner.kill()
        _, told_by_the_killed = beginner.communicate()
    with redirect_stderr(io.StringIO()) as told_by_the_waiting:
        load_embedder(str(tiny[0]), models, "fp32", "none")
    return Exported(models, told_by_the_killed, told_by_the_waiting.getvalue())


def require_the_vectors_of(tiny: tuple[Path, FloatVector], models: Path) -> None:
    folder, expected = tiny
    exported = load_embedder(str(folder), models, "fp32", "none")
    assert isinstance(exported, OnnxEmbedder)
    assert (exported.dimension, exported.max_tokens) == (32, 64)
    assert float(exported.embed_question(QUESTION)[0] @ expected) >= 0.9999


def test_a_model_of_another_kind_works_from_its_folder_with_its_own_prompts_and_pooling(
    tiny: tuple[Path, FloatVector], exported: Exported
) -> None:
    require_the_vectors_of(tiny, exported.models)


def test_the_spans_of_a_passage_are_found_behind_the_prompt(tiny: tuple[Path, FloatVector], exported: Exported) -> None:
    passage = PassageText("Tokens › Life\nA token lives for an hour.", ((0, 13), (14, 40), (16, 21)))
    ours, theirs = (
        next(embedder.passage_batches([passage])).passages[0].spans.astype(int)
        for embedder in (
            load_embedder(str(tiny[0]), exported.models, "fp32", "none"),
            ReferenceEmbedder.open(tiny[0], "id", 1, None),
        )
    )
    assert ours.shape == (3, 32)
    assert np.abs(ours - theirs).max() <= 1


def test_a_model_that_projects_its_passages_elsewhere_has_no_vectors_of_spans(tiny: tuple[Path, FloatVector]) -> None:
    with quietly():
        from sentence_transformers.models import Dense

        model = load_reference(tiny[0], None)
        model.append(Dense(32, 32))
    served = ReferenceEmbedder(model, "id")
    (passage,) = next(served.passage_batches([PassageText(QUESTION, ((0, 3), (4, 8)))])).passages
    assert (served.span_dimension, passage.spans.shape) == (0, (2, 0))


def test_a_damaged_export_is_made_anew(
    tiny: tuple[Path, FloatVector], exported: Exported, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"{META_FILE} does not match its own SHA-256. It is made anew." in exported.told_by_the_killed
    require_the_vectors_of(tiny, exported.models)
    assert capsys.readouterr().err == ""


def test_an_export_under_way_is_waited_for_and_used_even_if_who_began_it_was_killed(exported: Exported) -> None:
    assert "waiting for it" in exported.told_by_the_waiting
    assert "Preparing" not in exported.told_by_the_waiting
    assert not list(exported.models.glob("export-*"))


@pytest.fixture
def _no_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('no torch on this machine')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


@pytest.mark.usefixtures("_no_torch")
def test_an_export_that_cannot_be_made_says_why_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"no torch on this machine\). It takes PyTorch, .* run this again"):
        load_embedder(BUNDLED, tmp_path / "models", "int8", "none")


@pytest.mark.usefixtures("_no_torch")
def test_what_a_killed_export_has_left_is_removed_by_the_next_and_no_model_is(tmp_path: Path) -> None:
    left, model = tmp_path / "models" / "export-k2j_x9", tmp_path / "models" / "export-7b@0123456789ab-int8"
    for folder in (left / "whole", model):
        folder.mkdir(parents=True)
    (left / "raw.onnx").write_bytes(b"hal")
    with pytest.raises(ModelUnavailable):
        load_embedder(BUNDLED, tmp_path / "models", "int8", "none")
    assert (left.exists(), model.exists()) == (False, True)


@pytest.fixture(scope="module")
def static(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, FloatVector]:
    """A table of word vectors, which is no transformer, and its vector of QUESTION."""
    folder = tmp_path_factory.mktemp("models") / "static"
    with quietly():
        import torch
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.models import StaticEmbedding

        torch.manual_seed(0)
        tokenizer = Tokenizer.from_file(str(find_model(BUNDLED, "none").folder / "tokenizer.json"))
        model = SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=8)], device="cpu")
        model.save(str(folder))
        return folder, np.asarray(model.encode_query(QUESTION, normalize_embeddings=True))


def test_a_model_that_cannot_be_exported_is_served_by_sentence_transformers(
    static: tuple[Path, FloatVector], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, expected = static
    served = load_embedder(str(folder), tmp_path / "models", "int8", "none")
    assert "static cannot be exported to ONNX" in capsys.readouterr().err
    assert isinstance(served, ReferenceEmbedder)
    assert served.id.endswith("-reference")
    assert served.span_dimension == 0
    vectors = served.embed_passages(["Something else.", QUESTION])
    assert float(vectors[1] @ expected) >= 0.9999
    assert np.array_equal(served.embed_question(QUESTION)[0], vectors[1])
    load_embedder(str(folder), tmp_path / "models", "int8", "none")
    assert "cannot be exported" not in capsys.readouterr().err  # known by now: no second attempt
