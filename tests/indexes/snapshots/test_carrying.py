"""What has not changed is carried over to the next snapshot; nobody who searches can tell."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from indexes.models.embedding import Embedder
from indexes.search.analysis import informative_terms
from indexes.snapshots.publishing import Draft, generations, open_current, publish, writing
from indexes.snapshots.snapshot import Snapshot
from indexes.types import (
    ANYONE,
    Article,
    Category,
    Chunk,
    Filter,
    FloatMatrix,
    FloatVector,
    Heading,
    IndexedArticle,
    Quotable,
    SpanMatrix,
    Viewer,
)

THINGS = ("cache", "queue", "gateway", "database", "scheduler", "load balancer", "message broker", "search engine")
SAYINGS = {
    "restarting": "Restart the {} with one command; requests are drained for thirty seconds before it stops.",
    "monitoring": "An alert is raised when the {} answers more slowly than 200 milliseconds for five minutes.",
    "securing": "Only services with a client certificate may talk to the {}; certificates expire after a year.",
    "upgrading": "The {} is upgraded on Tuesdays, one node after the other, and rolled back on the first error.",
    "sizing": "Give the {} two cores and four gigabytes of memory, and add a node for each thousand users.",
    "backing up": "A backup of the {} is taken every night and restored into a test cluster once a month.",
}
QUESTIONS = ("How do I restart the queue?", "When is the gateway upgraded?", "How much memory does the cache need?")
CHANGED, REMOVED, THIRD = "restarting-queue", "upgrading-gateway", "sizing-cache"


@dataclass(frozen=True)
class Library:
    """What every draft here is made from."""

    entries: dict[str, IndexedArticle]
    vectors: dict[str, FloatMatrix]


@pytest.fixture(scope="module")
def library(embedder: Embedder) -> Library:
    articles = [_article(doing, thing) for doing in SAYINGS for thing in THINGS]
    vectors = embedder.embed_passages([article.markdown for article in articles])
    entries = {article.id: _indexed(article) for article in articles}
    return Library(entries, {id: vectors[place : place + 1] for place, id in enumerate(entries)})


def _article(doing: str, thing: str) -> Article:
    id, text = f"{doing}-{thing}".replace(" ", "-"), SAYINGS[doing].format(thing)
    return Article(id, f"{doing} a {thing}", "", (doing, thing), False, 0, None, "Guide", "KB", None, text)


def _indexed(article: Article) -> IndexedArticle:
    sentence = Quotable("sentence", 0, len(article.markdown))
    chunk = Chunk(article.id, 0, len(article.markdown), (), article.title, (sentence,))
    return IndexedArticle(article, (Heading(2, "A heading", "a-heading", 0),), (chunk,), article.id)


def draft(library: Library, entries: Sequence[IndexedArticle], carried: Sequence[str] = ()) -> Draft:
    nothing = library.vectors[CHANGED][:0]
    vectors = np.concatenate([nothing, *(library.vectors[entry.article.id] for entry in entries)])
    categories = [Category("KB", "All of it.")]
    spans = [np.concatenate(list(map(stored, (vector, -vector)))) for vector in vectors]
    return Draft(entries, categories, vectors, spans, 384, "model", "chunker", ("kb",), {}, frozenset(carried))


def stored(vector: FloatVector) -> SpanMatrix:
    return np.rint(vector[np.newaxis] * 127).astype(np.int8)


def spans(snapshot: Snapshot) -> list[list[list[int]]]:
    """Of every chunk the vectors of its context line and of its sentence."""
    matrices = snapshot.span_vectors(np.arange(snapshot.chunk_count))
    assert matrices is not None
    assert {matrix.shape for matrix in matrices} == {(2, 384)}
    return [matrix.tolist() for matrix in matrices]


def put(root: Path, draft: Draft, previous: Snapshot | None = None, keep: int = 10) -> Snapshot:
    with writing(root):
        publish(root, draft, keep, previous)
    return open_current(root)


def change(
    root: Path,
    library: Library,
    entries: Sequence[IndexedArticle] = (),
    gone: Collection[str] = (),
    keep: int = 10,
) -> Snapshot:
    """Publish `entries` after what the current snapshot holds but for the articles that are gone."""
    previous = open_current(root)
    carried = [id for id in previous.articles.ids() if id not in gone]
    return put(root, draft(library, entries, carried), previous, keep)


def edited(library: Library) -> IndexedArticle:
    entry = library.entries[CHANGED]
    return replace(entry, article=replace(entry.article, tags=("edited",), summary="Xylophones are mentioned."))


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory, library: Library) -> Path:
    """All articles as 000001; then one article changed; then another removed."""
    root = tmp_path_factory.mktemp("changed") / "index"
    put(root, draft(library, list(library.entries.values())))
    change(root, library, [edited(library)], [CHANGED])
    change(root, library, [], [REMOVED])
    return root


@pytest.fixture(scope="module")
def anew(tmp_path_factory: pytest.TempPathFactory, library: Library) -> Snapshot:
    """The same articles in the same order, written at once."""
    rest = [entry for id, entry in library.entries.items() if id not in (CHANGED, REMOVED)]
    return put(tmp_path_factory.mktemp("anew") / "index", draft(library, [*rest, edited(library)]))


@pytest.fixture
def root(changed: Path, tmp_path: Path) -> Path:
    """A copy of `changed`, to be damaged."""
    return shutil.copytree(changed, tmp_path / "index")


def test_it_holds_and_counts_what_an_index_written_at_once_does(changed: Path, anew: Snapshot) -> None:
    table = open_current(changed).articles
    assert table.ids() == anew.articles.ids()
    assert [table.indexed(id) for id in table.ids()] == [anew.articles.indexed(id) for id in table.ids()]
    assert table.tag_counts() == anew.articles.tag_counts()
    assert table.listing(limit=60) == anew.articles.listing(limit=60)
    assert table.categories() == anew.articles.categories()
    manifest = open_current(changed).manifest
    assert (manifest.articles, manifest.chunks) == (anew.manifest.articles, anew.manifest.chunks)


@pytest.mark.parametrize("filter", [Filter(), Filter(("edited",)), Filter(("queue", "gateway"))], ids=str)
def test_it_finds_what_an_index_written_at_once_does(
    changed: Path, anew: Snapshot, embedder: Embedder, filter: Filter
) -> None:
    snapshot = open_current(changed)
    for question in [*QUESTIONS, "xylophones"]:
        words = dict.fromkeys(informative_terms(question), 1.0)
        vector = embedder.embed_question(question)[0]
        for limit in (1, 10, 1_000):
            masks = snapshot.articles.mask(filter), anew.articles.mask(filter)
            assert snapshot.keywords.search(words, limit, masks[0]) == anew.keywords.search(words, limit, masks[1])
            found, expected = (
                snapshot.vectors.search(vector, limit, masks[0]),
                anew.vectors.search(vector, limit, masks[1]),
            )
            assert [hit.chunk for hit in found] == [hit.chunk for hit in expected]
            assert [hit.score for hit in found] == pytest.approx([hit.score for hit in expected], abs=1e-6)
        assert [snapshot.keywords.rarity(word) for word in words] == [anew.keywords.rarity(word) for word in words]


def test_chunks_and_vectors_are_numbered_as_if_written_at_once(changed: Path, anew: Snapshot) -> None:
    snapshot = open_current(changed)
    numbers = np.arange(snapshot.articles.chunk_count)
    assert snapshot.articles.chunks(numbers.tolist()) == anew.articles.chunks(numbers.tolist())
    assert np.array_equal(snapshot.vectors.rows(numbers), anew.vectors.rows(numbers))
    assert spans(snapshot) == spans(anew)
    assert np.array_equal(snapshot.articles.around(numbers), anew.articles.around(numbers))
    assert np.allclose(snapshot.article_vectors, anew.article_vectors, atol=1e-6)


def test_a_removed_article_is_found_nowhere(changed: Path) -> None:
    snapshot = open_current(changed)
    assert snapshot.articles.article(REMOVED) is None
    assert snapshot.articles.chunks_of(REMOVED) == []
    everything = snapshot.vectors.search(snapshot.article_vectors[0], 10_000)
    assert len(everything) == snapshot.manifest.chunks
    assert REMOVED not in snapshot.articles.owners([hit.chunk for hit in everything])


def test_who_may_not_read_an_article_sees_an_index_without_it_be_it_carried_or_new(
    root: Path, library: Library
) -> None:
    hidden = [restricted(library, CHANGED), restricted(library, THIRD)]
    rest = [entry for id, entry in library.entries.items() if id not in (CHANGED, THIRD)]
    put(root.parent / "hiding", draft(library, [hidden[0], *rest, library.entries[THIRD]]))
    whole = change(root.parent / "hiding", library, [hidden[1]], [THIRD])
    view, without = whole.seen_by(ANYONE), put(root.parent / "without", draft(library, rest))
    assert view.articles.ids() == without.articles.ids()
    numbers = np.arange(without.manifest.chunks)
    assert view.articles.chunks(numbers.tolist()) == without.articles.chunks(numbers.tolist())
    assert np.array_equal(view.vectors.rows(numbers), without.vectors.rows(numbers))
    assert spans(view) == spans(without)
    assert np.array_equal(view.article_vectors, without.article_vectors)
    for words in ({"queue": 1.0, "cach": 1.0}, {"restart": 1.0}):
        assert view.keywords.search(words, 60) == without.keywords.search(words, 60)
    assert whole.seen_by(Viewer(frozenset(["sre"]))) is whole


def restricted(library: Library, id: str) -> IndexedArticle:
    entry = library.entries[id]
    return replace(entry, article=replace(entry.article, audience=("sre",)))


def test_a_removed_article_can_come_back(root: Path, library: Library) -> None:
    snapshot = change(root, library, [library.entries[REMOVED]])
    assert snapshot.articles.indexed(REMOVED) == library.entries[REMOVED]
    assert snapshot.manifest.articles == len(library.entries)


def test_when_most_has_changed_the_rest_is_still_as_it_was(root: Path, library: Library, anew: Snapshot) -> None:
    ids = [id for id in library.entries if id not in (CHANGED, REMOVED)]
    snapshot = change(root, library, [library.entries[id] for id in ids], ids)
    assert snapshot.articles.ids() == [CHANGED, *ids]
    assert snapshot.manifest.chunks == anew.manifest.chunks
    (best, *_) = snapshot.keywords.search({"xylophon": 1.0}, 10)
    assert snapshot.articles.owners([best.chunk]) == [CHANGED]


def test_a_snapshot_shares_no_file_with_another_so_damage_never_takes_two(changed: Path) -> None:
    inodes = [path.stat().st_ino for path in changed.rglob("*") if path.is_file()]
    assert len(inodes) == len(set(inodes))


def test_pruning_takes_no_file_from_a_newer_snapshot(root: Path, library: Library) -> None:
    old = open_current(root)
    snapshot = change(root, library, [], [CHANGED], keep=1)
    assert generations(root) == ["000004"]
    assert Snapshot.open(snapshot.path).articles.article(CHANGED) is None
    assert old.articles.article(CHANGED) is not None  # a reader of a pruned snapshot is not disturbed
    assert old.vectors.search(old.article_vectors[0], 5)
