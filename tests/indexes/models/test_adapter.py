"""An adapter changes the weights it names; one that does not fit is refused with what to do."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from indexes.errors import ModelUnavailable
from indexes.models.adapter import Adapter, read_changes
from indexes.models.embedding import OnnxEmbedder, load_embedder
from indexes.models.finding import BUNDLED, find_model
from indexes.models.sentence_transformers import ReferenceEmbedder
from indexes.types import PassageText
from tests.indexes.conftest import quietly

SHAPES = {"query.weight": (2, 3), "query.bias": (2,)}
UP, DOWN = np.array([[1.0], [2.0]]), np.array([[1.0, 0.0, 3.0]])
PASSAGE = PassageText("Tokens › Life\nA token lives for an hour.", ((0, 13), (14, 40)))


def write(path: Path, arrays: Mapping[str, npt.ArrayLike]) -> Path:
    """An adapter with these arrays in half precision."""
    np.savez(path, allow_pickle=False, **{key: np.asarray(values, np.float16) for key, values in arrays.items()})
    return path


def test_a_product_and_a_plain_change_are_read_and_other_keys_are_not(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.npz",
        {"u:query.weight": UP, "v:query.weight": DOWN, "d:query.bias": [0.5, -1], "meta": [7]},
    )
    changes = read_changes(path, SHAPES)
    assert {name: change.tolist() for name, change in changes.items()} == {
        "query.weight": [[1, 0, 3], [2, 0, 6]],
        "query.bias": [0.5, -1],
    }


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"d:key.bias": [1, 2]}, r"no parameter key\.bias"),
        ({"d:query.bias": [1, 2, 3]}, r"query\.bias has the shape \(2,\), not \(3,\)"),
        ({"d:query.bias": [1, np.nan]}, r"its change of query\.bias is no number"),
        ({"u:query.weight": UP, "v:query.weight": [[np.inf] * 3]}, r"query\.weight is no number"),
        ({"u:query.weight": UP}, r"either u:query\.weight and v:query\.weight, or d:query\.weight"),
        ({"u:query.weight": UP, "v:query.weight": DOWN, "d:query.weight": UP @ DOWN}, "either"),
        ({"u:query.weight": DOWN, "v:query.weight": DOWN}, "cannot be multiplied"),
        ({"u:query.weight": UP, "v:query.weight": [1, 2, 3]}, "cannot be multiplied"),
        ({"meta": [7]}, "it changes nothing"),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_what_does_not_fit_is_refused_with_the_reason(
    tmp_path: Path, arrays: Mapping[str, npt.ArrayLike], reason: str
) -> None:
    path = write(tmp_path / "a.npz", arrays)
    with pytest.raises(ModelUnavailable, match=rf"a\.npz does not fit the model \(.*{reason}.*FOOTNOTE_ADAPTER.*none"):
        read_changes(path, SHAPES)


def half(path: Path) -> bytes:
    whole = write(path, {"d:query.bias": [1, 2]}).read_bytes()
    return whole[: len(whole) // 2]


def pickled() -> bytes:
    file = io.BytesIO()
    np.savez(file, allow_pickle=True, **{"d:query.bias": np.array([object()])})
    return file.getvalue()


@pytest.mark.parametrize("content", ["none of it", "empty", "half", "pickled", "text"])
def test_what_is_no_adapter_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.npz"
    kinds = {"none of it": b"\x00" * 99, "empty": b"", "half": half(path), "pickled": pickled(), "text": b"d:query"}
    path.write_bytes(kinds[content])
    with pytest.raises(ModelUnavailable, match=r"a\.npz does not fit the model \(it cannot be read"):
        read_changes(path, SHAPES)


# --- finding one


def test_the_id_names_the_adapter_so_that_an_index_of_another_one_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.npz", {"d:query.bias": [1, 2]})
    plain, adapted = find_model(BUNDLED, "none"), find_model(BUNDLED, str(path))
    assert adapted.adapter is not None
    name, weights = plain.embedder_id("int8").split("@")
    assert adapted.embedder_id("int8") == f"{name}+{adapted.adapter.sha256[:8]}@{weights}"


def test_a_missing_adapter_says_what_to_set() -> None:
    with pytest.raises(ModelUnavailable, match=r"no/such\.npz cannot be read .*FOOTNOTE_ADAPTER to an \.npz file"):
        find_model(BUNDLED, "no/such.npz")


def test_other_bytes_than_the_published_ones_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.npz", {"d:query.bias": [1, 2]})
    published = Adapter.find(path).sha256
    assert Adapter.find(path, published) == Adapter(path, published)
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(ModelUnavailable, match=r"not the published one .*reinstall Footnote"):
        Adapter.find(path, published)


# --- in a model


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A one-layer BERT with a prompt before passages."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    with quietly():
        import torch
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.models import Pooling, Transformer
        from transformers import AutoTokenizer, BertConfig, BertModel

        torch.manual_seed(0)
        config = BertConfig(hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64)
        BertModel(config).save_pretrained(f"{folder}-hf")
        AutoTokenizer.from_pretrained(find_model(BUNDLED, "none").folder).save_pretrained(f"{folder}-hf")
        modules = [Transformer(f"{folder}-hf", max_seq_length=64), Pooling(32)]
        SentenceTransformer(modules=modules, device="cpu", prompts={"document": "passage: "}).save(str(folder))
    return folder


NAME = "encoder.layer.0.output.dense.weight"


def test_an_adapter_is_merged_before_the_export_and_into_what_it_is_checked_against(tiny: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    up, down = random.standard_normal((32, 4)), random.standard_normal((4, 64))
    path = write(tmp_path / "a.npz", {f"u:{NAME}": up, f"v:{NAME}": down})
    exported = load_embedder(str(tiny), tmp_path / "models", "fp32", str(path))
    assert isinstance(exported, OnnxEmbedder)
    assert exported.id == find_model(str(tiny), str(path)).embedder_id("fp32")
    plain, merged = (ReferenceEmbedder.open(tiny, "id", 1, adapter) for adapter in (None, path))
    ours, theirs, without = (
        next(embedder.passage_batches([PASSAGE])).passages[0] for embedder in (exported, merged, plain)
    )
    assert float(ours.vector @ theirs.vector) > 0.9999
    assert np.abs(ours.spans.astype(int) - theirs.spans.astype(int)).max() <= 1
    assert float(ours.vector @ without.vector) < 0.99


def test_the_export_refuses_an_adapter_of_another_model_and_leaves_nothing(tiny: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "a.npz", {"d:query.bias": [1, 2]})
    with pytest.raises(ModelUnavailable, match=r"does not fit the model \(the model has no parameter query\.bias\)"):
        load_embedder(str(tiny), tmp_path / "models", "fp32", str(path))
    assert [entry.name for entry in (tmp_path / "models").iterdir()] == ["lock"]
