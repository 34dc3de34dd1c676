"""A snapshot opens whole or not at all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from indexes.errors import SnapshotDamaged, SnapshotIncompatible, SnapshotMissing, SnapshotTooNew
from indexes.files import file_digest, seal
from indexes.models.embedding import Embedder
from indexes.search.spans import FILES
from indexes.snapshots.snapshot import ARTICLES, DATA_FILES, FORMAT_VERSION, MANIFEST, VECTORS, Manifest, Snapshot

EVERY_FILE = pytest.mark.parametrize("name", DATA_FILES)


@pytest.fixture
def folder(two_snapshots: Path, tmp_path: Path) -> Path:
    """A copy of the first snapshot, to be damaged."""
    return shutil.copytree(two_snapshots / "000001", tmp_path / "000001")


def change_manifest(folder: Path, **fields: object) -> None:
    file = folder / MANIFEST
    changed = {**json.loads(file.read_text()), **fields}
    del changed["seal"]
    file.write_text(json.dumps({**changed, "seal": seal(changed)}))


def replace_file(folder: Path, name: str, other: Path) -> None:
    """Swap a data file for that of another snapshot, and make the manifest vouch for it."""
    shutil.copy(other / name, folder / name)
    recorded = Manifest.read(folder).files
    change_manifest(folder, files={**recorded, name: file_digest(folder / name)})


def test_a_whole_snapshot_opens_and_says_what_it_holds(folder: Path, embedder: Embedder) -> None:
    snapshot = Snapshot.open(folder)
    manifest = snapshot.manifest
    assert (manifest.format_version, manifest.generation, manifest.articles) == (FORMAT_VERSION, "000001", 5)
    assert manifest.chunks == snapshot.vectors.count == snapshot.articles.chunk_count
    assert (manifest.embedder, manifest.dimension) == (embedder.id, embedder.dimension)
    assert manifest.changes == {"added": 5, "changed": 0, "removed": 0, "skipped": 0}
    assert snapshot.article_vectors.shape == (5, embedder.dimension)


def test_the_manifest_vouches_for_every_other_file(folder: Path) -> None:
    files = {path.name for path in folder.iterdir()} - {MANIFEST}
    assert files == set(DATA_FILES) == set(Manifest.read(folder).files)


@EVERY_FILE
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_a_flipped_bit_is_found(folder: Path, name: str, place: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[{"first": 0, "middle": len(content) // 2, "last": -1}[place]] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(SnapshotDamaged, match=f"{name} does not match.*footnote rollback"):
        Snapshot.open(folder)


@EVERY_FILE
@pytest.mark.parametrize("kept", [0.0, 0.5, 0.999])
def test_a_cut_tail_is_found(folder: Path, name: str, kept: float) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(SnapshotDamaged, match=f"{name} does not match"):
        Snapshot.open(folder)


@EVERY_FILE
def test_a_missing_file_is_found(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(SnapshotDamaged, match=f"{name} cannot be read"):
        Snapshot.open(folder)


@EVERY_FILE
def test_a_file_that_nothing_vouches_for_is_refused(folder: Path, name: str) -> None:
    files = dict(Manifest.read(folder).files)
    del files[name]
    change_manifest(folder, files=files)
    with pytest.raises(SnapshotDamaged, match=name):
        Snapshot.open(folder)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\x00\xff", b"[]", b"null", b"7", b"{}", b'{"format_version": 1}', b"[" * 100_000],
    ids=lambda content: str(content)[:24],
)
def test_a_garbled_manifest_is_refused(folder: Path, content: bytes) -> None:
    (folder / MANIFEST).write_bytes(content)
    with pytest.raises(SnapshotDamaged, match=MANIFEST):
        Snapshot.open(folder)


@pytest.mark.parametrize(
    "fields",
    [{"sources": 7}, {"files": ["articles.sqlite"]}, {"files": None}, {"chunks": "nine"}, {"unheard_of": 1}],
    ids=str,
)
def test_a_manifest_with_odd_fields_is_refused(folder: Path, fields: dict[str, object]) -> None:
    change_manifest(folder, **fields)
    with pytest.raises(SnapshotDamaged):
        Snapshot.open(folder)


def test_a_flipped_bit_anywhere_in_the_manifest_is_refused(folder: Path) -> None:
    whole = (folder / MANIFEST).read_bytes()
    accepted = []
    for place in range(0, len(whole), 7):
        (folder / MANIFEST).write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            Snapshot.open(folder).articles.close()
        except (SnapshotDamaged, SnapshotIncompatible):
            continue
        accepted.append(place)
    assert accepted == []


def test_a_folder_without_a_manifest_is_no_snapshot(tmp_path: Path) -> None:
    with pytest.raises(SnapshotMissing, match="footnote ingest"):
        Snapshot.open(tmp_path)


def test_a_newer_format_asks_for_a_newer_footnote(folder: Path) -> None:
    change_manifest(folder, format_version=FORMAT_VERSION + 1)
    with pytest.raises(SnapshotTooNew, match="upgrade Footnote"):
        Snapshot.open(folder)


@pytest.mark.parametrize("version", [FORMAT_VERSION - 1, "old", None])
def test_an_older_format_says_how_to_rebuild(folder: Path, version: object) -> None:
    change_manifest(folder, format_version=version)
    with pytest.raises(SnapshotIncompatible, match=r"run `footnote ingest .*source` to rebuild it") as refused:
        Snapshot.open(folder)
    assert not isinstance(refused.value, SnapshotTooNew)


def test_another_embedding_model_is_refused_with_what_to_run(folder: Path, embedder: Embedder) -> None:
    snapshot = Snapshot.open(folder)
    snapshot.require_embedder(embedder.id)
    with pytest.raises(SnapshotIncompatible, match=r"another-model@1 is configured.*FOOTNOTE_MODEL.*footnote ingest"):
        snapshot.require_embedder("another-model@1")


@pytest.mark.parametrize("name", [ARTICLES, VECTORS])
def test_indexes_that_disagree_on_the_number_of_chunks_are_refused(
    folder: Path, two_snapshots: Path, name: str
) -> None:
    replace_file(folder, name, two_snapshots / "000002")
    with pytest.raises(SnapshotDamaged, match="disagree on the number of chunks"):
        Snapshot.open(folder)


@pytest.mark.parametrize(("names", "reason"), [(FILES, "disagree"), (FILES[1:], "offsets of the span vectors")])
def test_vectors_of_spans_that_belong_to_other_chunks_are_refused(
    folder: Path, two_snapshots: Path, names: tuple[str, ...], reason: str
) -> None:
    for name in names:
        replace_file(folder, name, two_snapshots / "000002")
    with pytest.raises(SnapshotDamaged, match=reason):
        Snapshot.open(folder)


def test_a_manifest_that_counts_other_chunks_is_refused(folder: Path) -> None:
    change_manifest(folder, chunks=Manifest.read(folder).chunks + 1)
    with pytest.raises(SnapshotDamaged, match="disagree on the number of chunks"):
        Snapshot.open(folder)
