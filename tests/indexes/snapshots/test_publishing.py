"""Publishing is one atomic step by one writer at a time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexes.errors import IndexBusy, SnapshotMissing
from indexes.models.embedding import Embedder
from indexes.snapshots.publisher import SnapshotPublisher
from indexes.snapshots.publishing import (
    Draft,
    current_generation,
    generations,
    open_current,
    point_current,
    prune,
    publish,
    writing,
)
from indexes.snapshots.snapshot import Snapshot
from ingest.chunking import Chunker
from ingest.sync import Synchroniser
from tests.conftest import TINY, quiet, write_articles


@pytest.fixture(scope="module")
def draft(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder, chunker: Chunker) -> Draft:
    """The five tiny articles, ready to be published."""
    folder = tmp_path_factory.mktemp("draft")
    Synchroniser(SnapshotPublisher(folder / "index", 3), embedder, chunker, quiet).sync(
        [write_articles(folder / "source", TINY)]
    )
    snapshot = open_current(folder / "index")
    articles = [entry for id in snapshot.articles.ids() if (entry := snapshot.articles.indexed(id))]
    numbers = np.arange(snapshot.chunk_count)
    return Draft(
        articles,
        snapshot.articles.categories(),
        snapshot.vectors.rows(numbers),
        snapshot.spans.of(numbers),
        embedder.span_dimension,
        embedder.id,
        chunker.id,
        ("kb",),
        {"added": 5},
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "index"


def publish_times(root: Path, draft: Draft, times: int, keep: int = 3) -> None:
    for _ in range(times):
        with writing(root):
            publish(root, draft, keep)


def test_a_published_draft_is_current_and_answers(root: Path, draft: Draft) -> None:
    with writing(root):
        manifest = publish(root, draft, 3)
    assert current_generation(root) == manifest.generation == "000001"
    assert (root / "CURRENT").read_text() == "000001\n"
    snapshot = open_current(root)
    assert snapshot.articles.ids() == [entry.article.id for entry in draft.articles]
    assert [snapshot.articles.indexed(id) for id in snapshot.articles.ids()] == list(draft.articles)


def test_each_generation_counts_on_and_nothing_else_is_left(root: Path, draft: Draft) -> None:
    publish_times(root, draft, 2)
    assert {path.name for path in root.iterdir()} == {"CURRENT", "000001", "000002", "lock"}
    assert current_generation(root) == "000002"


def test_before_the_first_ingest_there_is_nothing(root: Path) -> None:
    assert current_generation(root) is None
    assert generations(root) == []
    with pytest.raises(SnapshotMissing, match="footnote ingest SOURCE"):
        open_current(root)


def test_until_current_is_replaced_the_old_generation_is_served(root: Path, draft: Draft) -> None:
    publish_times(root, draft, 2)
    point_current(root, "000001")
    assert open_current(root).generation == "000001"


def test_current_never_points_at_a_generation_that_is_not_there(root: Path, draft: Draft) -> None:
    publish_times(root, draft, 1)
    with pytest.raises(SnapshotMissing, match=r"no snapshot 000007.*footnote snapshots"):
        point_current(root, "000007")
    assert current_generation(root) == "000001"


def test_the_newest_generations_are_kept(root: Path, draft: Draft) -> None:
    publish_times(root, draft, 5, keep=2)
    assert generations(root) == ["000004", "000005"]


def test_pruning_never_takes_the_current_generation(root: Path, draft: Draft) -> None:
    publish_times(root, draft, 3)
    point_current(root, "000001")
    with writing(root):
        prune(root, 1)
    assert generations(root) == ["000001", "000003"]
    assert open_current(root).generation == "000001"


def test_after_a_rollback_the_next_generation_still_counts_on(root: Path, draft: Draft) -> None:
    publish_times(root, draft, 2)
    point_current(root, "000001")
    publish_times(root, draft, 1)
    assert current_generation(root) == "000003"


def test_a_pruned_snapshot_that_is_still_open_answers(root: Path, draft: Draft) -> None:
    publish_times(root, draft, 1)
    old = open_current(root)
    publish_times(root, draft, 2, keep=1)
    assert generations(root) == ["000003"]
    assert old.articles.article("tokens") is not None
    assert old.keywords.search({"token": 1.0}, 5)
    assert old.vectors.search(draft.vectors[0], 1)[0].chunk == 0


def test_what_an_interrupted_writer_left_is_swept_by_the_next(root: Path, draft: Draft) -> None:
    publish_times(root, draft, 1)
    (root / "scratch-000002").mkdir()
    (root / "scratch-000002" / "vectors.faiss").write_bytes(b"half")
    (root / "CURRENT.new").write_text("00000")
    assert current_generation(root) == "000001"
    assert generations(root) == ["000001"]
    publish_times(root, draft, 1)
    assert {path.name for path in root.iterdir()} == {"CURRENT", "000001", "000002", "lock"}


def test_a_writer_that_fails_midway_changes_nothing(root: Path, draft: Draft) -> None:
    publish_times(root, draft, 1)
    before = (root / "CURRENT").read_bytes()
    for too_few in (replace(draft, vectors=draft.vectors[:0]), replace(draft, spans=[])):
        with pytest.raises((IndexError, ValueError)), writing(root):
            publish(root, too_few, 3)
    assert (root / "CURRENT").read_bytes() == before
    assert Snapshot.open(root / "000001").manifest.articles == 5
    publish_times(root, draft, 1)
    assert current_generation(root) == "000002"


# --- the lock, between real processes

HOLDER = """
import pathlib, sys
from indexes.snapshots.publishing import writing
with writing(pathlib.Path(sys.argv[1])):
    print("holding", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(root: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the write lock until its input ends or it is killed."""
    command = [sys.executable, "-c", HOLDER, str(root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "holding\n"
        yield process
        process.kill()


def test_a_second_writer_is_turned_away_naming_the_holder(root: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(IndexBusy, match=f"written by process {holder.pid} on .* since 20"), writing(root):
        pass


def test_a_reader_needs_no_lock(root: Path, draft: Draft, holder: subprocess.Popen[str]) -> None:
    publish(root, draft, 3)  # as the holder would
    assert open_current(root).manifest.articles == 5


def test_a_killed_holder_frees_the_lock(root: Path, draft: Draft, holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.wait()
    publish_times(root, draft, 1)
    assert current_generation(root) == "000001"


def test_a_holder_that_ends_frees_the_lock_and_its_name(root: Path, holder: subprocess.Popen[str]) -> None:
    holder.communicate("")
    with writing(root):
        assert str(holder.pid) not in (root / "lock").read_text().split()
