"""The store serves the newest whole snapshot, without a restart and without a gap."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from indexes.errors import SnapshotDamaged, SnapshotIncompatible, SnapshotMissing, SnapshotTooNew
from indexes.models.embedding import Embedder
from indexes.snapshots.publisher import SnapshotPublisher
from indexes.snapshots.publishing import point_current
from indexes.snapshots.snapshot import FORMAT_VERSION, MANIFEST, VECTORS, Manifest
from indexes.snapshots.store import SnapshotStore
from indexes.types import Filter
from ingest.chunking import Chunker
from ingest.sync import Synchroniser
from tests.conftest import TINY, quiet, write_articles


@pytest.fixture(scope="module")
def three_snapshots(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder, chunker: Chunker) -> Path:
    """An index that lost an article with each of its generations: 5, 4 and 3 articles."""
    folder = tmp_path_factory.mktemp("store")
    source, root = write_articles(folder / "source", TINY), folder / "index"
    sync = Synchroniser(SnapshotPublisher(root, 3), embedder, chunker, quiet)
    sync.sync([source])
    for lost in ("logging", "caching"):
        (source / f"{lost}.md").unlink()
        sync.sync([source])
    return root


@pytest.fixture
def root(three_snapshots: Path, tmp_path: Path) -> Path:
    """A copy of that index in which the first generation is current."""
    copy = shutil.copytree(three_snapshots, tmp_path / "index")
    point_current(copy, "000001")
    return copy


def served(store: SnapshotStore) -> int:
    """How many articles the served snapshot holds; its vectors must answer too."""
    snapshot = store.current()
    assert snapshot.vectors.count == snapshot.articles.chunk_count
    return len(snapshot.articles.ids())


def damage(root: Path, generation: str) -> None:
    content = bytearray((root / generation / VECTORS).read_bytes())
    content[len(content) // 2] ^= 1
    (root / generation / VECTORS).write_bytes(content)


def test_without_an_index_there_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(SnapshotMissing, match="footnote ingest"):
        SnapshotStore(tmp_path)


def test_an_index_without_a_whole_snapshot_is_not_served(root: Path) -> None:
    for generation in ("000001", "000002", "000003"):
        damage(root, generation)
    with pytest.raises(SnapshotDamaged, match=f"000001 is damaged: {VECTORS}"):
        SnapshotStore(root)


def test_a_damaged_current_snapshot_is_passed_over_for_the_whole_one_before(root: Path) -> None:
    point_current(root, "000003")
    damage(root, "000003")
    damage(root, "000002")
    store = SnapshotStore(root, interval=0)
    assert served(store) == 5
    assert store.problem is not None
    assert "000003 is damaged" in store.problem
    assert "snapshot 000001 answers" in store.problem


def test_with_nothing_whole_before_it_a_later_one_is_better_than_none(root: Path) -> None:
    damage(root, "000001")
    assert served(SnapshotStore(root, interval=0)) == 4


@pytest.mark.parametrize("content", [None, b"", b"rubbish", b"000009"])
def test_without_a_usable_current_the_newest_whole_snapshot_is_served(root: Path, content: bytes | None) -> None:
    (root / "CURRENT").unlink()
    if content is not None:
        (root / "CURRENT").write_bytes(content)
    store = SnapshotStore(root, interval=0)
    assert served(store) == 3
    assert store.problem


def test_another_format_is_not_passed_over(root: Path) -> None:
    newer = replace(Manifest.read(root / "000002"), format_version=FORMAT_VERSION + 1)
    (root / "000002" / MANIFEST).write_text(newer.to_json())
    point_current(root, "000002")
    with pytest.raises(SnapshotTooNew, match="upgrade Footnote"):
        SnapshotStore(root)


def test_a_damaged_snapshot_that_is_restored_is_served(root: Path) -> None:
    point_current(root, "000003")
    whole = (root / "000003" / VECTORS).read_bytes()
    damage(root, "000003")
    store = SnapshotStore(root, interval=0, retry=0)
    assert served(store) == 4
    (root / "000003" / VECTORS).write_bytes(whole)
    assert served(store) == 3
    assert store.problem is None


def test_rot_in_what_is_served_is_found_by_a_check_and_passed_over(root: Path) -> None:
    point_current(root, "000003")
    store = SnapshotStore(root, interval=0)
    store.check()
    assert (served(store), store.problem) == (3, None)
    damage(root, "000003")
    store.check()
    assert served(store) == 4
    assert store.problem is not None
    assert "000003 is damaged" in store.problem


def test_rot_with_nothing_whole_beside_it_is_told_and_served_on(root: Path) -> None:
    store = SnapshotStore(root, interval=0)
    for generation in ("000001", "000002", "000003"):
        damage(root, generation)
    store.check()
    assert served(store) == 5
    assert store.problem is not None
    assert "still served" in store.problem


def test_an_index_made_anew_under_the_same_number_is_followed(root: Path, three_snapshots: Path) -> None:
    store = SnapshotStore(root, interval=0)
    shutil.rmtree(root)
    shutil.copytree(three_snapshots / "000002", root / "000001")
    manifest = replace(Manifest.read(root / "000001"), generation="000001")
    (root / "000001" / MANIFEST).write_text(manifest.to_json())
    point_current(root, "000001")
    assert served(store) == 4


def test_a_snapshot_left_by_its_last_reader_closes_its_files(root: Path) -> None:
    store = SnapshotStore(root, interval=0)
    in_hand = store.current()
    in_hand.articles.mask(Filter(("auth",)))
    point_current(root, "000002")
    store.current()
    first = str(root / "000001")
    assert first in open_files()
    del in_hand
    assert first not in open_files()


def open_files() -> str:
    """What this process has open or mapped. Garbage is not collected first: a busy server need not either."""
    opened = [os.readlink(entry) for entry in Path("/proc/self/fd").iterdir() if entry.exists()]
    return "\n".join([*opened, Path("/proc/self/maps").read_text()])


def test_a_new_snapshot_is_followed_without_a_restart(root: Path) -> None:
    store = SnapshotStore(root, interval=0)
    assert served(store) == 5
    point_current(root, "000002")
    assert served(store) == 4
    point_current(root, "000003")
    assert served(store) == 3
    assert store.problem is None


def test_a_rollback_is_followed_too(root: Path) -> None:
    point_current(root, "000003")
    store = SnapshotStore(root, interval=0)
    assert served(store) == 3
    point_current(root, "000001")
    assert served(store) == 5


def test_a_snapshot_in_hand_stays_as_it_is(root: Path) -> None:
    store = SnapshotStore(root, interval=0)
    in_hand = store.current()
    point_current(root, "000002")
    assert store.current() is not in_hand
    assert in_hand.articles.article("logging") is not None
    assert store.current().articles.article("logging") is None


def test_an_unchanged_current_gives_the_same_snapshot(root: Path) -> None:
    store = SnapshotStore(root, interval=0)
    assert store.current() is store.current()


def test_a_damaged_new_snapshot_is_refused_and_the_old_one_serves_on(root: Path) -> None:
    store = SnapshotStore(root, interval=0)
    damage(root, "000002")
    point_current(root, "000002")
    assert served(store) == 5
    assert store.problem is not None
    assert f"{VECTORS} does not match" in store.problem
    assert served(store) == 5


def test_the_problem_ends_with_the_next_whole_snapshot(root: Path) -> None:
    store = SnapshotStore(root, interval=0)
    damage(root, "000002")
    point_current(root, "000002")
    store.current()
    point_current(root, "000003")
    assert served(store) == 3
    assert store.problem is None


def test_the_problem_ends_when_current_returns_to_what_is_served(root: Path) -> None:
    store = SnapshotStore(root, interval=0)
    damage(root, "000002")
    point_current(root, "000002")
    store.current()
    point_current(root, "000001")
    assert served(store) == 5
    assert store.problem is None


@pytest.mark.parametrize("content", [b"", b"\xb00001\n", b"000009\n", b"../000001\x00", b"000001/articles.sqlite"])
def test_a_garbled_current_never_stops_the_service(root: Path, content: bytes) -> None:
    store = SnapshotStore(root, interval=0)
    (root / "CURRENT").write_bytes(content)
    assert served(store) == 5
    point_current(root, "000002")
    assert served(store) == 4


@pytest.mark.parametrize("content", [b"\xb00001\n", b"\x00"])
def test_a_garbled_current_is_a_problem_that_is_told(root: Path, content: bytes) -> None:
    store = SnapshotStore(root, interval=0)
    (root / "CURRENT").write_bytes(content)
    store.current()
    assert store.problem


def test_a_lost_current_never_stops_the_service(root: Path) -> None:
    store = SnapshotStore(root, interval=0)
    shutil.rmtree(root)
    assert served(store) == 5


def test_a_new_snapshot_of_another_model_is_refused(root: Path, embedder: Embedder) -> None:
    store = SnapshotStore(root, interval=0)
    store.require_embedder(embedder.id)
    other = replace(Manifest.read(root / "000002"), embedder="another-model@1")
    (root / "000002" / MANIFEST).write_text(other.to_json())
    point_current(root, "000002")
    assert served(store) == 5
    assert store.problem is not None
    assert "another-model@1" in store.problem


def test_the_current_snapshot_of_another_model_is_refused_at_once(root: Path) -> None:
    with pytest.raises(SnapshotIncompatible, match="FOOTNOTE_MODEL"):
        SnapshotStore(root).require_embedder("another-model@1")


def test_current_is_not_read_more_often_than_asked(root: Path) -> None:
    store = SnapshotStore(root, interval=3_600)
    point_current(root, "000002")
    assert served(store) == 5
