"""An exported model is what it was when it was exported, or it is refused."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from indexes.errors import ModelDamaged
from indexes.models.embedding import Embedder, OnnxEmbedder
from indexes.models.export_folder import META_FILE, MODEL_FILE, TOKENIZER_FILE, read_meta, write_meta
from tests.conftest import ROOT

FILES = [MODEL_FILE, TOKENIZER_FILE, META_FILE]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A folder of the same form, in which every byte can be tried."""
    (tmp_path / MODEL_FILE).write_bytes(b"weights")
    (tmp_path / TOKENIZER_FILE).write_text("{}")
    write_meta(tmp_path, {"id": "small@1", "max_tokens": 256, "question_prompt": "Frage: "})
    return tmp_path


@pytest.fixture
def real(embedder: Embedder, tmp_path: Path) -> Path:
    """A copy of the bundled model's export."""
    return shutil.copytree(ROOT / "var" / "models" / embedder.id, tmp_path / "model")


@contextmanager
def flipped(path: Path, bit: int) -> Iterator[None]:
    content = path.read_bytes()
    place, mask = bit // 8, 1 << bit % 8
    path.write_bytes(content[:place] + bytes([content[place] ^ mask]) + content[place + 1 :])
    yield
    path.write_bytes(content)


def test_what_was_written_is_read(small: Path) -> None:
    meta = read_meta(small)
    assert (meta["id"], meta["max_tokens"], meta["question_prompt"]) == ("small@1", 256, "Frage: ")


@pytest.mark.parametrize("name", FILES)
def test_no_byte_of_any_file_can_change_unnoticed(small: Path, name: str) -> None:
    for bit in range(0, (small / name).stat().st_size * 8, 7):  # one or two of each byte, in each place
        with flipped(small / name, bit), pytest.raises(ModelDamaged, match=name):
            read_meta(small)
    read_meta(small)


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_of_the_real_model_is_noticed(real: Path, name: str) -> None:
    with flipped(real / name, bit=(real / name).stat().st_size * 4), pytest.raises(ModelDamaged, match=name):
        read_meta(real)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_cut_or_gone_is_noticed(small: Path, name: str) -> None:
    content = (small / name).read_bytes()
    (small / name).write_bytes(content[:-2])
    with pytest.raises(ModelDamaged, match=name):
        read_meta(small)
    (small / name).unlink()
    with pytest.raises(ModelDamaged, match=rf"{name} cannot be read \(No such file or directory\)"):
        read_meta(small)


@pytest.mark.parametrize(
    "meta",
    ["", "{", "[]", "{}", "null", pytest.param("[" * 100_000, id="deep"), '{"id": "small@1", "max_tokens": 256}'],
)
def test_settings_that_nobody_sealed_are_refused(small: Path, meta: str) -> None:
    (small / META_FILE).write_text(meta)
    with pytest.raises(ModelDamaged, match=META_FILE):
        read_meta(small)


def test_an_exported_model_opens_from_its_folder(real: Path, embedder: Embedder) -> None:
    opened = OnnxEmbedder.open(real, read_meta(real), workers=1)
    assert (opened.id, opened.dimension) == (embedder.id, embedder.dimension)
    assert opened.embed_question("token") == pytest.approx(embedder.embed_question("token"), abs=1e-5)
