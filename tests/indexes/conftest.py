"""What several tests of `indexes` start from. Copy it before changing it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from indexes.models.embedding import Embedder
from indexes.snapshots.publisher import SnapshotPublisher
from ingest.chunking import Chunker
from ingest.sync import Synchroniser
from tests.conftest import TINY, quiet, write_articles


@pytest.fixture(scope="session")
def two_snapshots(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder, chunker: Chunker) -> Path:
    """An index with the five tiny articles as 000001 and four of them as 000002."""
    folder = tmp_path_factory.mktemp("snapshot")
    source, root = write_articles(folder / "source", TINY), folder / "index"
    sync = Synchroniser(SnapshotPublisher(root, 3), embedder, chunker, quiet)
    sync.sync([source])
    (source / "logging.md").unlink()
    sync.sync([source])
    return root


@contextmanager
def quietly() -> Iterator[None]:
    """torch and its friends warn of each other when they are imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
