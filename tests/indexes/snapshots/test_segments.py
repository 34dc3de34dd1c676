"""A few changes to a large index are written beside its base; nobody who searches can tell."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from indexes.commands import add_commands
from indexes.console import FAILED, OK, main, parser
from indexes.errors import SnapshotDamaged
from indexes.files import file_digest
from indexes.models.embedding import Embedder
from indexes.search.analysis import informative_terms
from indexes.search.postings import FILES as POSTING_FILES
from indexes.settings import IndexSettings
from indexes.snapshots.publishing import Draft, generations, open_current, publish, writing
from indexes.snapshots.segment import SEGMENT_FILES, VECTORS
from indexes.snapshots.snapshot import GONE, RECENT, SPARE, Snapshot
from indexes.types import (
    ANYONE,
    Article,
    Category,
    Chunk,
    Filter,
    FloatMatrix,
    Heading,
    IndexedArticle,
    Quotable,
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
LARGE = 10  # chunks: 48 articles of one chunk each count as large here


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


def draft(
    library: Library, entries: Sequence[IndexedArticle], previous: Snapshot | None = None, gone: Sequence[str] = ()
) -> Draft:
    nothing = library.vectors[CHANGED][:0]
    vectors = np.concatenate([nothing, *(library.vectors[entry.article.id] for entry in entries)])
    categories = [Category("KB", "All of it.")]
    return Draft(entries, categories, vectors, "model", "chunker", ("kb",), {}, previous, frozenset(gone))


def put(root: Path, draft: Draft, keep: int = 10) -> Snapshot:
    with writing(root):
        publish(root, draft, keep, large=LARGE)
    return open_current(root)


def edited(library: Library) -> IndexedArticle:
    entry = library.entries[CHANGED]
    return replace(entry, article=replace(entry.article, tags=("edited",), summary="Xylophones are mentioned."))


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory, library: Library) -> Path:
    """All articles as 000001; then one article changed; then another removed."""
    root = tmp_path_factory.mktemp("segments") / "index"
    first = put(root, draft(library, list(library.entries.values())))
    second = put(root, draft(library, [edited(library)], first, [CHANGED]))
    put(root, draft(library, [], second, [REMOVED]))
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


def inodes(folder: Path, names: Sequence[str] = SEGMENT_FILES) -> set[int]:
    return {(folder / name).stat().st_ino for name in names}


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def test_changes_lie_beside_the_base_which_is_not_written_again(changed: Path) -> None:
    first, last = (Snapshot.open(changed / generation) for generation in ("000001", "000003"))
    assert (len(first.segments), len(last.segments)) == (1, 2)
    assert last.segments[0].rows == first.segments[0].rows
    assert last.segments[1].rows == len(last.articles.chunks_of(CHANGED)) == 1
    names = [name for name in last.manifest.files if not name.startswith(RECENT)]
    assert {name: last.manifest.files[name] for name in names} == first.manifest.files


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
    assert np.array_equal(snapshot.articles.around(numbers), anew.articles.around(numbers))
    assert np.allclose(snapshot.article_vectors, anew.article_vectors, atol=1e-6)


def test_a_removed_article_is_found_nowhere(changed: Path) -> None:
    snapshot = open_current(changed)
    assert snapshot.articles.article(REMOVED) is None
    assert snapshot.articles.chunks_of(REMOVED) == []
    everything = snapshot.vectors.search(snapshot.article_vectors[0], 10_000)
    assert len(everything) == snapshot.manifest.chunks
    assert REMOVED not in snapshot.articles.owners([hit.chunk for hit in everything])


def test_who_may_not_read_an_article_of_either_segment_sees_an_index_without_both(root: Path, library: Library) -> None:
    hidden = [restricted(library, CHANGED), restricted(library, THIRD)]
    rest = [entry for id, entry in library.entries.items() if id not in (CHANGED, THIRD)]
    first = put(root.parent / "hiding", draft(library, [hidden[0], *rest, library.entries[THIRD]]))
    whole = put(root.parent / "hiding", draft(library, [hidden[1]], first, [THIRD]))
    assert len(whole.segments) == 2
    view, without = whole.seen_by(ANYONE), put(root.parent / "without", draft(library, rest))
    assert view.articles.ids() == without.articles.ids()
    numbers = np.arange(without.manifest.chunks)
    assert view.articles.chunks(numbers.tolist()) == without.articles.chunks(numbers.tolist())
    assert np.array_equal(view.vectors.rows(numbers), without.vectors.rows(numbers))
    assert np.array_equal(view.article_vectors, without.article_vectors)
    for words in ({"queue": 1.0, "cach": 1.0}, {"restart": 1.0}):
        assert view.keywords.search(words, 60) == without.keywords.search(words, 60)
    assert whole.seen_by(Viewer(frozenset(["sre"]))) is whole


def restricted(library: Library, id: str) -> IndexedArticle:
    entry = library.entries[id]
    return replace(entry, article=replace(entry.article, audience=("sre",)))


@pytest.mark.parametrize("how", ["flipped", "missing"])
def test_verify_looks_at_the_second_copy_too(root: Path, how: str, capsys: pytest.CaptureFixture[str]) -> None:
    verify = [str(argument) for argument in ("verify", "--index", root)]
    assert main(parser("footnote", [add_commands]), IndexSettings, verify) == OK
    capsys.readouterr()
    spare = root / "000003" / SPARE / VECTORS
    copy = spare.read_bytes()
    spare.unlink()  # it is the same file as another snapshot's own
    if how == "flipped":
        spare.write_bytes(bytes([copy[0] ^ 1]) + copy[1:])
    assert main(parser("footnote", [add_commands]), IndexSettings, verify) == FAILED
    told = capsys.readouterr().out
    assert told.count("whole\n") == 2
    assert f"its second copy of {VECTORS} is not" in told
    assert Snapshot.open(root / "000003").manifest.generation == "000003"


def test_a_removed_article_can_come_back(root: Path, library: Library) -> None:
    snapshot = put(root, draft(library, [library.entries[REMOVED]], open_current(root)))
    assert snapshot.articles.indexed(REMOVED) == library.entries[REMOVED]
    assert snapshot.manifest.articles == len(library.entries)


def test_with_many_changes_everything_is_written_as_one_segment_again(
    root: Path, library: Library, anew: Snapshot
) -> None:
    ids = [id for id in library.entries if id not in (CHANGED, REMOVED)]
    snapshot = put(root, draft(library, [library.entries[id] for id in ids], open_current(root), ids))
    assert len(snapshot.segments) == 1
    assert snapshot.articles.ids() == [CHANGED, *ids]
    assert snapshot.manifest.chunks == anew.manifest.chunks
    words = {"xylophon": 1.0}
    (best, *_) = snapshot.keywords.search(words, 10)
    assert snapshot.articles.owners([best.chunk]) == [CHANGED]


def test_a_snapshot_shares_no_file_with_the_one_before_so_damage_never_takes_both(changed: Path) -> None:
    first, second, third = (changed / generation for generation in generations(changed))
    assert not inodes(first) & inodes(second)
    assert not inodes(second) & inodes(third)
    assert inodes(third) == inodes(first)  # and costs no space


@pytest.mark.parametrize("name", [*SEGMENT_FILES, *(f"{RECENT}/{name}" for name in (VECTORS, *POSTING_FILES)), GONE])
def test_damage_to_any_file_is_found_and_the_snapshot_before_is_whole(root: Path, name: str) -> None:
    flip(root / "000003" / name)
    with pytest.raises(SnapshotDamaged, match=f"{name} does not match"):
        Snapshot.open(root / "000003")
    assert Snapshot.open(root / "000002").manifest.generation == "000002"


@pytest.mark.parametrize("spoil", [flip, Path.unlink], ids=["rotten", "missing"])
def test_a_spare_file_that_is_not_whole_is_replaced(root: Path, library: Library, spoil: object) -> None:
    assert callable(spoil)
    spoil(root / "000003" / SPARE / VECTORS)
    snapshot = put(root, draft(library, [], open_current(root), [THIRD]))
    own, spare = snapshot.path / VECTORS, snapshot.path / SPARE / VECTORS
    assert file_digest(own) == file_digest(spare) == snapshot.manifest.files[VECTORS]
    assert own.stat().st_ino != spare.stat().st_ino


def test_pruning_takes_no_file_from_a_newer_snapshot(root: Path, library: Library) -> None:
    old = open_current(root)
    snapshot = put(root, draft(library, [], old, [CHANGED]), keep=1)
    assert generations(root) == ["000004"]
    assert Snapshot.open(snapshot.path).articles.article(CHANGED) is None
    assert old.articles.article(CHANGED) is not None  # a reader of a pruned snapshot is not disturbed
    assert old.vectors.search(old.article_vectors[0], 5)
