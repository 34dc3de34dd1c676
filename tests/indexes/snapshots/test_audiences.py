"""Who reads decides what there is: a reader's view of a snapshot is the index that the others' articles are not in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from indexes.models.embedding import Embedder
from indexes.snapshots.publisher import SnapshotPublisher
from indexes.snapshots.publishing import open_current
from indexes.snapshots.snapshot import Snapshot
from indexes.types import ANYONE, KEEPER, Viewer
from ingest.chunking import Chunker
from ingest.sync import Synchroniser
from tests.conftest import TINY, quiet, write_articles

SRE, LEGAL, BOTH = (Viewer(frozenset(groups)) for groups in (["sre"], ["legal"], ["sre", "legal"]))

RESTRICTED = {
    "aardvark": """---
title: Aardvark failover
tags: [auth, failover]
audience: [sre]
category: Runbooks
---
The aardvark cluster fails over to the second region when its refresh token store is lost.
""",
    "guides/deploying-secretly": """---
title: Deploying without notice
tags: [auth]
audience: [sre, legal]
---
A canary release of the aardvark needs the consent of legal.
""",
    "zebra": """---
title: Zebra contract
tags: [contracts]
audience: [legal]
---
The zebra contract caps the damages at 5 million. Logs are kept for ten years.
""",
}
VISIBLE = {
    "anyone": (ANYONE, []),
    "another group": (Viewer(frozenset(["hr"])), []),
    "sre": (SRE, ["aardvark", "guides/deploying-secretly"]),
    "legal": (LEGAL, ["guides/deploying-secretly", "zebra"]),
    "both": (BOTH, ["aardvark", "guides/deploying-secretly", "zebra"]),
    "keeper": (KEEPER, ["aardvark", "guides/deploying-secretly", "zebra"]),
}


@dataclass(frozen=True)
class Shelf:
    """Ingests articles into indexes of their own."""

    folder: Path
    embedder: Embedder
    chunker: Chunker

    def index(self, name: str, articles: Mapping[str, str]) -> Snapshot:
        source, root = self.folder / name / "source", self.folder / name / "index"
        write_articles(source, dict(articles))
        Synchroniser(SnapshotPublisher(root, 3), self.embedder, self.chunker, quiet).sync([source])
        return open_current(root)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder, chunker: Chunker) -> Shelf:
    return Shelf(tmp_path_factory.mktemp("shelf"), embedder, chunker)


@pytest.fixture(scope="module")
def whole(shelf: Shelf) -> Snapshot:
    return shelf.index("whole", {**TINY, **RESTRICTED})


@pytest.mark.parametrize("name", VISIBLE)
def test_a_view_cannot_be_told_from_an_index_without_the_hidden_articles(
    name: str, whole: Snapshot, shelf: Shelf
) -> None:
    viewer, restricted = VISIBLE[name]
    assert_same(whole.seen_by(viewer), shelf.index(name, {**TINY, **{id: RESTRICTED[id] for id in restricted}}))


def test_a_reader_for_whom_there_is_nothing_finds_nothing(shelf: Shelf, embedder: Embedder) -> None:
    view = shelf.index("nothing", RESTRICTED).seen_by(ANYONE)
    assert (view.articles.ids(), view.articles.tag_counts(), view.articles.categories()) == ([], [], [])
    assert view.keywords.search({"aardvark": 1.0}, 5) == []
    assert view.vectors.search(embedder.embed_question("aardvark")[0], 5) == []


def test_nothing_is_hidden_where_nothing_is_restricted(shelf: Shelf) -> None:
    snapshot = shelf.index("public", TINY)
    assert snapshot.seen_by(ANYONE) is snapshot


def test_a_view_is_made_once(whole: Snapshot) -> None:
    assert whole.seen_by(SRE) is whole.seen_by(Viewer(frozenset(["sre", "hr"])))


def assert_same(view: Snapshot, other: Snapshot) -> None:
    """All that answers rest on."""
    assert (view.manifest.articles, view.manifest.chunks) == (other.manifest.articles, other.manifest.chunks)
    table, expected = view.articles, other.articles
    assert table.ids() == expected.ids()
    assert table.listed() == expected.listed()
    assert table.tag_counts() == expected.tag_counts()
    assert table.tags() == expected.tags()
    assert table.rarity == expected.rarity
    assert table.categories() == expected.categories()
    assert [table.article(id) for id in table.ids()] == [expected.article(id) for id in expected.ids()]
    assert [table.article(id) for id in RESTRICTED] == [expected.article(id) for id in RESTRICTED]
    numbers = list(range(view.manifest.chunks))
    assert table.chunks(numbers) == expected.chunks(numbers)
    chunks = np.array(numbers)
    assert np.array_equal(table.around(chunks), expected.around(chunks))
    assert np.array_equal(view.vectors.rows(chunks), other.vectors.rows(chunks))
    assert np.array_equal(view.article_vectors, other.article_vectors)
    for term in ("aardvark", "zebra", "refresh", "log", "canari"):
        assert view.keywords.rarity(term) == other.keywords.rarity(term)
        assert np.array_equal(view.keywords.scores({term: 1.0}), other.keywords.scores({term: 1.0}))
    for question in (vector for vector in np.array(other.vectors.rows(chunks))):
        assert view.vectors.search(question, 5) == other.vectors.search(question, 5)
