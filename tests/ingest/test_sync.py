"""An ingest makes the index hold exactly what the sources hold, and does no work twice."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest

from indexes.errors import IndexBusy, SnapshotNotWritten, SnapshotTooNew
from indexes.models.embedding import Embedder
from indexes.search.analysis import informative_terms
from indexes.snapshots.ingest_log import IngestRecord, past
from indexes.snapshots.publisher import SnapshotPublisher
from indexes.snapshots.publishing import current_generation, generations, open_current, writing
from indexes.snapshots.snapshot import FORMAT_VERSION, MANIFEST, VECTORS, Manifest, Snapshot
from indexes.types import ANYONE, EmbeddedBatch, EmbeddedPassage, PassageText, Viewer, passage_text
from ingest.chunking import Chunker
from ingest.errors import NothingToIngest, SourceMissing
from ingest.sync import Report, Synchroniser
from tests.conftest import TINY, quiet, write_articles


class PowerCut(Exception):
    """What ends an ingest in the middle."""


BATCH = 16

Remembered: TypeAlias = dict[PassageText, EmbeddedPassage]


@dataclass
class Counting:
    """The real model's vectors, each computed once for all tests here; notes what it was asked to embed, and can stop
    after some batches."""

    real: Embedder
    remembered: Remembered
    id: str
    dimension: int
    span_dimension: int
    batches_left: int = 1_000
    embedded: list[str] = field(default_factory=list)

    def passage_batches(self, passages: Sequence[PassageText]) -> Iterator[EmbeddedBatch]:
        new = [passage for passage in dict.fromkeys(passages) if passage not in self.remembered]
        embedded = [passage for batch in self.real.passage_batches(new) for passage in batch.passages]
        self.remembered.update(zip(new, embedded, strict=True))
        for start in range(0, len(passages), BATCH):
            if self.batches_left == 0:
                raise PowerCut
            self.batches_left -= 1
            batch = passages[start : start + BATCH]
            self.embedded += [passage.text for passage in batch]
            yield EmbeddedBatch(tuple(map(self._embedded, batch)), truncated=0)

    def _embedded(self, passage: PassageText) -> EmbeddedPassage:
        embedded = self.remembered[passage]
        return replace(embedded, spans=embedded.spans[:, : self.span_dimension])


@dataclass
class Workshop:
    """A source folder, an index, and what it takes to ingest the one into the other."""

    source: Path
    index: Path
    embedder: Counting
    chunker: Chunker

    def write(self, **articles: str) -> None:
        write_articles(self.source, articles)

    def sync(self, *, full: bool = False) -> Report:
        self.embedder.embedded.clear()
        return Synchroniser(SnapshotPublisher(self.index, 3), self.embedder, self.chunker, quiet).sync(
            [self.source], full=full
        )

    def current(self) -> Snapshot:
        return open_current(self.index)

    def skipped(self, report: Report) -> dict[str, tuple[str, bool]]:
        return {
            Path(skip.origin).name: (skip.reason.split(" (")[0].split(":")[0], skip.kept) for skip in report.skipped
        }


@pytest.fixture(scope="module")
def remembered() -> Remembered:
    return {}


@pytest.fixture
def shop(tmp_path: Path, embedder: Embedder, chunker: Chunker, remembered: Remembered) -> Workshop:
    """Nothing ingested yet; the source holds the five tiny articles."""
    counting = Counting(embedder, remembered, embedder.id, embedder.dimension, embedder.span_dimension)
    return Workshop(write_articles(tmp_path / "source", TINY), tmp_path / "index", counting, chunker)


def keyword_owners(snapshot: Snapshot, question: str) -> set[str]:
    hits = snapshot.keywords.search(dict.fromkeys(informative_terms(question), 1.0), 100)
    return set(snapshot.articles.owners([hit.chunk for hit in hits]))


def vector_owners(snapshot: Snapshot, embedder: Embedder, question: str) -> set[str]:
    hits = snapshot.vectors.search(embedder.embed_question(question)[0], 100)
    return set(snapshot.articles.owners([hit.chunk for hit in hits]))


# --- what an ingest does


def test_the_first_ingest_adds_every_article(shop: Workshop) -> None:
    report = shop.sync()
    assert report.added == ("caching", "logging", "retries", "tokens", "guides/deploying")
    assert (report.articles, report.changed, report.removed, report.unchanged) == (5, (), (), 0)
    assert (report.embedded, report.reused, report.truncated) == (report.chunks, 0, 0)
    assert report.generation == current_generation(shop.index)
    snapshot = shop.current()
    assert snapshot.articles.ids() == list(report.added)
    assert snapshot.vectors.count == snapshot.articles.chunk_count == report.chunks == len(shop.embedder.embedded)


def test_a_stored_vector_is_that_of_its_chunk_with_its_context(shop: Workshop) -> None:
    shop.sync()
    snapshot = shop.current()
    numbers = list(range(snapshot.vectors.count))
    texts = [f"{stored.chunk.context}\n{stored.text}" for stored in snapshot.articles.chunks(numbers)]
    expected = shop.embedder.real.embed_passages(texts)
    actual = snapshot.vectors.rows(np.array(numbers, dtype=np.int64))
    assert np.allclose(actual, expected, atol=1e-5)


Spans: TypeAlias = dict[str, list[list[list[int]]]]  # by article: the vectors of the spans of each chunk


def spans(snapshot: Snapshot) -> Spans:
    table = snapshot.articles
    matrices = {id: snapshot.span_vectors(np.array(table.chunks_of(id))) or [] for id in sorted(table.ids())}
    return {id: [matrix.tolist() for matrix in own] for id, own in matrices.items()}


def test_every_quotable_has_the_vector_it_has_in_its_chunk(shop: Workshop) -> None:
    shop.sync()
    (chunk,) = shop.current().chunks(shop.current().articles.chunks_of("logging"))
    passage = passage_text(chunk.chunk, chunk.text)
    (expected,) = next(shop.embedder.real.passage_batches([passage])).passages
    assert len(expected.spans) == 1 + 2  # the context line and two sentences
    assert spans(shop.current())["logging"] == [expected.spans.tolist()]


def test_vectors_of_spans_are_carried_over_and_reused_to_the_last_bit(shop: Workshop, tmp_path: Path) -> None:
    shop.sync()
    shop.write(
        tokens=TINY["tokens"].replace("revoke the whole token family", "revoke every token of the family"),
        aaa="# A first article\n\nIt stands before all the others now.",
    )
    assert shop.sync().embedded == 2
    anew = replace(shop, index=tmp_path / "anew")
    anew.sync()
    assert spans(shop.current()) == spans(anew.current())


def test_who_may_not_read_an_article_gets_the_vectors_of_the_others(shop: Workshop) -> None:
    shop.write(aaa="---\naudience: [legal]\n---\nThe zebra contract is renewed each year.")
    shop.sync()
    everything = spans(shop.current())
    assert len(everything.pop("aaa")) == 1
    assert spans(shop.current().seen_by(ANYONE)) == everything


def test_a_model_without_vectors_of_spans_makes_an_index_without_them(shop: Workshop) -> None:
    shop.embedder.span_dimension, shop.embedder.id = 0, "projecting@1"
    shop.sync()
    shop.write(tokens=TINY["tokens"] + "\nOne more line.\n")
    assert shop.sync().generation == "000002"
    assert shop.current().span_vectors(np.arange(3)) is None


def test_an_unchanged_source_publishes_nothing_and_embeds_nothing(shop: Workshop) -> None:
    first = shop.sync()
    again = shop.sync()
    assert (again.generation, again.unchanged, again.embedded) == (None, 5, 0)
    assert shop.embedder.embedded == []
    assert generations(shop.index) == [first.generation]


def test_a_touched_but_equal_file_is_unchanged(shop: Workshop) -> None:
    shop.sync()
    write_articles(shop.source, TINY)
    assert shop.sync().generation is None


def test_an_edited_section_embeds_only_its_own_chunks(shop: Workshop) -> None:
    chunks = shop.sync().chunks
    shop.write(tokens=TINY["tokens"].replace("revoke the whole token family", "revoke every token of the family"))
    report = shop.sync()
    assert (report.changed, report.unchanged, report.added, report.removed) == (("tokens",), 4, (), ())
    assert (report.embedded, report.reused) == (1, chunks - 1)
    (embedded,) = shop.embedder.embedded
    assert embedded.startswith("Rotating refresh tokens › Detecting reuse\n")
    assert "every token of the family" in embedded


def test_an_article_that_moves_in_the_order_keeps_its_vectors(shop: Workshop) -> None:
    shop.sync()
    shop.write(aaa="# A first article\n\nIt stands before all the others now.")
    report = shop.sync()
    assert (report.added, report.embedded) == (("aaa",), 1)
    snapshot = shop.current()
    question = "How long does an access token live?"
    best = snapshot.vectors.search(shop.embedder.real.embed_question(question)[0], 1)[0]
    assert snapshot.articles.owners([best.chunk]) == ["tokens"]


def test_equal_chunks_are_embedded_once(shop: Workshop) -> None:
    same = "---\ntitle: Same\n---\nThe very same words stand in both of these articles."
    shop.write(one=same, two=same)
    report = shop.sync()
    assert (report.embedded, report.reused) == (report.chunks - 1, 1)


def test_a_changed_tag_reaches_the_index_without_embedding(shop: Workshop) -> None:
    shop.sync()
    shop.write(caching=TINY["caching"].replace("[http]", "[http, performance]"))
    report = shop.sync()
    assert (report.changed, report.embedded) == (("caching",), 0)
    assert shop.current().articles.tags_of("caching") == ("http", "performance")


def test_a_changed_category_reaches_every_article(shop: Workshop) -> None:
    shop.sync()
    (shop.source / "category.yaml").write_text("name: Engineering\ndescription: All of it.\n")
    assert len(shop.sync().changed) == 5
    assert [(c.name, c.description) for c in shop.current().articles.categories()] == [("Engineering", "All of it.")]


def test_a_deleted_article_is_gone_from_articles_keywords_and_vectors(shop: Workshop) -> None:
    shop.sync()
    question = "five percent canary release"
    before = shop.current()
    assert "guides/deploying" in keyword_owners(before, question)
    assert "guides/deploying" in vector_owners(before, shop.embedder.real, question)
    (shop.source / "guides" / "deploying.md").unlink()
    assert shop.sync().removed == ("guides/deploying",)
    after = shop.current()
    assert after.articles.article("guides/deploying") is None
    assert "guides/deploying" not in after.articles.ids()
    assert "guides/deploying" not in keyword_owners(after, question)
    assert vector_owners(after, shop.embedder.real, question) == {"caching", "logging", "retries", "tokens"}


def test_an_open_snapshot_still_answers_after_the_next_one_is_published(shop: Workshop) -> None:
    shop.sync()
    before = shop.current()
    (shop.source / "logging.md").unlink()
    shop.sync()
    assert before.articles.article("logging") is not None
    assert "logging" in vector_owners(before, shop.embedder.real, "logs")


# --- what goes wrong in the sources


def test_an_empty_folder_leaves_the_index_as_it_was(shop: Workshop) -> None:
    first = shop.sync()
    for file in shop.source.rglob("*.md"):
        file.unlink()
    (shop.source / "notes.txt").write_text("no article")
    with pytest.raises(NothingToIngest, match=r"1 files of other kinds.*index was left as it is"):
        shop.sync()
    assert current_generation(shop.index) == first.generation
    assert len(shop.current().articles.ids()) == 5


def test_a_missing_source_leaves_the_index_as_it_was(shop: Workshop) -> None:
    first = shop.sync()
    shop.source.rename(shop.source.with_name("elsewhere"))
    with pytest.raises(SourceMissing):
        shop.sync()
    assert current_generation(shop.index) == first.generation


def test_bad_files_are_reported_and_the_rest_is_ingested(shop: Workshop) -> None:
    shop.write(empty="", bare="# Only\n\n## Headings\n", dated="---\nupdated: 2024-02-30\n---\nText.")
    (shop.source / "latin.md").write_bytes(b"caf\xe9")
    report = shop.sync()
    assert report.articles == 5
    assert shop.skipped(report) == {
        "bare.md": ("no text below its headings", False),
        "dated.md": ("the front matter cannot be read", False),
        "empty.md": ("no text", False),
        "latin.md": ("not UTF-8", False),
    }


def test_an_article_whose_file_becomes_unreadable_keeps_its_last_version_and_is_reported(shop: Workshop) -> None:
    shop.sync()
    (shop.source / "caching.md").write_bytes(b"caf\xe9")
    (shop.source / "logging.md").unlink()
    (shop.source / "logging.md").symlink_to("tokens.md")
    shop.write(retries="---\ntitle: 'never closed\n---\nText.", tokens=TINY["tokens"] + "\nOne more line.\n")
    report = shop.sync()
    assert shop.skipped(report) == {
        "caching.md": ("not UTF-8", True),
        "logging.md": ("a symbolic link", True),
        "retries.md": ("the front matter cannot be read", True),
    }
    assert (report.articles, report.removed) == (5, ())
    article = shop.current().articles.article("caching")
    assert article is not None
    assert article.markdown.startswith("Send `Cache-Control")
    assert "caching" in keyword_owners(shop.current(), "ETag revalidate")


def test_an_article_whose_audience_becomes_unclear_is_withdrawn_and_comes_back_once_it_is_clear(shop: Workshop) -> None:
    shop.sync()
    shop.write(caching="---\naudience: [sre\n---\nThe origin's password.", logging="---\naudience: []\n---\nMore.")
    report = shop.sync()
    assert report.removed == ("caching", "logging")
    assert [(skipped.id, skipped.kept) for skipped in report.skipped] == [("caching", False), ("logging", False)]
    assert all("until then it is not served" in skipped.reason for skipped in report.skipped)
    shop.write(caching="---\naudience: [sre]\n---\nThe origin's password.", logging=TINY["logging"])
    assert shop.sync().added == ("caching", "logging")
    assert shop.current().articles.audience_of("caching") == ("sre",)


def test_an_article_whose_audience_becomes_unclear_is_withdrawn_though_another_file_hides_what_it_held(
    shop: Workshop,
) -> None:
    shop.sync()
    (shop.source / "export.jsonl").symlink_to("nowhere")  # while it cannot be read, nothing that it may hold is removed
    shop.write(caching="---\naudience: []\n---\nThe origin's password.")
    assert shop.sync().removed == ("caching",)
    assert shop.current().articles.article("caching") is None


def test_the_history_counts_for_each_reader_what_they_may_read(shop: Workshop) -> None:
    shop.write(zebra="---\naudience: [legal]\n---\nThe zebra contract.")
    shop.sync()
    shop.write(zebra="---\naudience: [legal]\n---\nThe zebra contract, renewed.", pools="# Pools\n\nTen connections.")
    shop.sync()
    (shop.source / "zebra.md").write_text("---\naudience: legal, sre\n---\nThe zebra contract.")
    shop.sync()
    counts = {
        name: [(i.articles, i.added, i.changed, i.removed, i.skipped) for i in map(_seen_by(viewer), past(shop.index))]
        for name, viewer in {"legal": Viewer(frozenset(["legal"])), "anyone": ANYONE}.items()
    }
    assert counts["legal"] == [(6, 0, 0, 1, 0), (7, 1, 1, 0, 0), (6, 6, 0, 0, 0)]
    assert counts["anyone"] == [(6, 0, 0, 0, 0), (6, 1, 0, 0, 0), (5, 5, 0, 0, 0)]
    assert "zebra" not in (shop.index / "history.jsonl").read_text()


def _seen_by(viewer: Viewer) -> Callable[[IngestRecord], IngestRecord]:
    return lambda ingest: ingest.seen_by(viewer)


def test_a_kept_article_is_read_again_as_soon_as_its_file_is_mended(shop: Workshop) -> None:
    shop.sync()
    (shop.source / "caching.md").write_bytes(b"caf\xe9")
    assert shop.sync().generation is None
    shop.write(caching="# Caching\n\nMended by now.")
    assert shop.sync().changed == ("caching",)


def test_the_second_of_two_articles_with_one_id_is_skipped_naming_the_first(shop: Workshop) -> None:
    (shop.source / "caching.html").write_text("<p>Another text about caching.</p>")
    report = shop.sync()
    (skipped,) = report.skipped
    assert Path(skipped.origin).name == "caching.md"
    assert "its id 'caching' is taken by" in skipped.reason
    assert "caching.html" in skipped.reason


def test_several_sources_make_one_index(shop: Workshop, tmp_path: Path) -> None:
    export = tmp_path / "export.jsonl"
    export.write_text(
        json.dumps({"id": "faq-1", "text": "The cafeteria opens at noon.", "tags": ["food"]}) + "\n{broken"
    )
    sync = Synchroniser(SnapshotPublisher(shop.index, 3), shop.embedder, shop.chunker, quiet)
    report = sync.sync([shop.source, export])
    assert report.articles == 6
    assert shop.skipped(report) == {"export.jsonl:2": ("not a JSON object", False)}
    assert shop.current().articles.tag_name("FOOD") == "food"
    assert sync.sync([export]).removed == ("caching", "logging", "retries", "tokens", "guides/deploying")


@pytest.mark.parametrize(
    "fields", ['"views": 99999999999999999999', r'"url": "https://e/\ud800"', r'"title": "\ud800"']
)
def test_an_odd_record_never_stops_the_rest(shop: Workshop, fields: str) -> None:
    (shop.source / "odd.jsonl").write_text('{"id": "odd", "text": "Odd but whole.", ' + fields + "}\n")
    assert shop.sync().articles == 6


def test_an_article_without_a_single_word_can_be_stored_and_searched(shop: Workshop, tmp_path: Path) -> None:
    only = write_articles(tmp_path / "only", {"faces": "🙂 🙂 🙂"})
    Synchroniser(SnapshotPublisher(shop.index, 3), shop.embedder, shop.chunker, quiet).sync([only])
    snapshot = shop.current()
    assert keyword_owners(snapshot, "anything") == set()
    assert vector_owners(snapshot, shop.embedder.real, "a smile") == {"faces"}


# --- an ingest that is stopped


def many(count: int) -> dict[str, str]:
    return {f"a{n:02d}": f"# Article {n}\n\nThis is the short text of article number {n}." for n in range(count)}


def test_an_interrupted_ingest_changes_nothing_and_the_next_embeds_only_the_rest(shop: Workshop) -> None:
    first = shop.sync()
    write_articles(shop.source, many(40))
    shop.embedder.batches_left = 2
    with pytest.raises(PowerCut):
        shop.sync()
    done = list(shop.embedder.embedded)
    assert len(done) == 2 * BATCH
    assert current_generation(shop.index) == first.generation
    assert len(shop.current().articles.ids()) == 5

    shop.embedder.batches_left = 1_000
    report = shop.sync()
    assert report.articles == 45
    assert report.embedded == len(shop.embedder.embedded) == 40 - 2 * BATCH
    assert not set(done) & set(shop.embedder.embedded)
    expected = shop.embedder.real.embed_passages(["Article 7\nThis is the short text of article number 7."])
    stored = shop.current().vectors.rows(np.array(shop.current().articles.chunks_of("a07"), dtype=np.int64))
    assert float((stored @ expected.T).item()) > 0.9999
    uninterrupted = replace(shop, index=shop.index.with_name("uninterrupted"))
    uninterrupted.sync()
    assert spans(shop.current()) == spans(uninterrupted.current())


def test_what_a_stopped_ingest_left_is_forgotten_once_published(shop: Workshop) -> None:
    write_articles(shop.source, many(40))
    shop.embedder.batches_left = 1
    with pytest.raises(PowerCut):
        shop.sync()
    left = {path.name for path in shop.index.iterdir()}
    shop.embedder.batches_left = 1_000
    shop.sync()
    assert {path.name for path in shop.index.iterdir()} == {"CURRENT", "000001", "history.jsonl", "lock"}
    assert left > {"lock"}


def test_vectors_put_aside_by_another_model_are_not_reused(shop: Workshop) -> None:
    shop.embedder.batches_left = 1
    write_articles(shop.source, many(40))
    with pytest.raises(PowerCut):
        shop.sync()
    shop.embedder.batches_left, shop.embedder.id = 1_000, "another-model@1"
    report = shop.sync()
    assert report.embedded == report.chunks


def test_a_torn_file_of_vectors_put_aside_is_no_obstacle(shop: Workshop) -> None:
    shop.embedder.batches_left = 1
    write_articles(shop.source, many(20))
    with pytest.raises(PowerCut):
        shop.sync()
    (torn,) = shop.index.glob("*.sqlite")
    torn.write_bytes(b"not a database at all" * 100)
    shop.embedder.batches_left = 1_000
    assert shop.sync().articles == 25


@pytest.mark.parametrize("change", ["span_count = span_count + 1", "spans = zeroblob(length(spans))", "crc = crc + 1"])
def test_vectors_put_aside_that_have_rotted_are_computed_again(shop: Workshop, change: str) -> None:
    shop.embedder.batches_left = 1
    write_articles(shop.source, many(20))
    with pytest.raises(PowerCut):
        shop.sync()
    (aside,) = shop.index.glob("*.sqlite")
    with sqlite3.connect(aside) as table:
        table.execute(f"UPDATE vectors SET {change}")
    table.close()
    shop.embedder.batches_left = 1_000
    report = shop.sync()
    assert report.embedded == report.chunks


def test_vectors_put_aside_by_an_earlier_version_are_no_obstacle(shop: Workshop) -> None:
    shop.index.mkdir()
    with sqlite3.connect(shop.index / "pending.sqlite") as table:
        table.execute("CREATE TABLE vectors (digest TEXT, embedder TEXT, vector BLOB NOT NULL, crc INTEGER NOT NULL)")
    table.close()
    report = shop.sync()
    assert report.embedded == report.chunks


# --- an index made otherwise


def test_another_model_embeds_everything_anew(shop: Workshop) -> None:
    chunks = shop.sync().chunks
    shop.embedder.id = "another-model@1"
    report = shop.sync()
    assert (report.embedded, report.reused) == (chunks, 0)
    assert shop.current().manifest.embedder == "another-model@1"
    assert shop.sync().generation is None


def test_another_budget_cuts_and_embeds_anew(shop: Workshop) -> None:
    before = shop.sync()
    shop.chunker = Chunker(40)
    report = shop.sync()
    assert report.chunks > before.chunks
    assert report.embedded > 0
    assert shop.current().manifest.chunker == Chunker(40).id


def test_a_full_ingest_embeds_everything_anew_though_nothing_changed(shop: Workshop) -> None:
    before = shop.sync()
    report = shop.sync(full=True)
    assert (report.embedded, report.reused, report.unchanged) == (before.chunks, 0, 5)
    assert generations(shop.index) == [before.generation, report.generation]


def test_a_full_ingest_keeps_the_last_version_of_an_unreadable_article(shop: Workshop) -> None:
    shop.sync()
    (shop.source / "caching.md").write_bytes(b"caf\xe9")
    report = shop.sync(full=True)
    assert report.articles == 5
    assert shop.skipped(report) == {"caching.md": ("not UTF-8", True)}


def test_a_damaged_index_is_built_anew_and_the_report_says_so(shop: Workshop) -> None:
    first = shop.sync()
    (shop.index / "000001" / VECTORS).write_bytes(b"rot")
    report = shop.sync()
    assert report.embedded == first.chunks
    assert "could not be reused" in report.notes[0]
    assert shop.current().generation == report.generation == "000002"


def rewrite_format(index: Path, version: int) -> None:
    other = replace(Manifest.read(index / "000001"), format_version=version)
    (index / "000001" / MANIFEST).write_text(other.to_json())


def test_an_older_format_is_built_anew_and_the_report_says_so(shop: Workshop) -> None:
    first = shop.sync()
    rewrite_format(shop.index, 0)
    report = shop.sync()
    assert report.embedded == first.chunks
    assert "older format" in report.notes[0]


def test_a_newer_format_is_never_overwritten(shop: Workshop) -> None:
    shop.sync()
    rewrite_format(shop.index, FORMAT_VERSION + 1)
    with pytest.raises(SnapshotTooNew, match="upgrade Footnote"):
        shop.sync()
    assert generations(shop.index) == ["000001"]


def test_one_ingest_at_a_time(shop: Workshop) -> None:
    with writing(shop.index), pytest.raises(IndexBusy):
        shop.sync()
    assert shop.sync().articles == 5


def test_progress_is_told_to_the_end(shop: Workshop) -> None:
    told: list[tuple[str, int, int]] = []
    report = Synchroniser(
        SnapshotPublisher(shop.index, 3),
        shop.embedder,
        shop.chunker,
        lambda what, done, total: told.append((what, done, total)),
    ).sync([shop.source])
    assert ("Reading", 5, 0) in told
    assert told[-1] == ("Embedding", report.chunks, report.chunks)


def test_the_article_table_of_a_snapshot_is_sound(shop: Workshop) -> None:
    shop.sync()
    with sqlite3.connect(shop.index / "000001" / "articles.sqlite") as table:
        assert table.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    table.close()


def test_an_article_of_an_export_whose_line_breaks_keeps_its_last_version(shop: Workshop) -> None:
    export = shop.source / "export.jsonl"
    export.write_text('{"id": "pools", "title": "Pools", "text": "A pool holds ten connections."}\n')
    shop.sync()
    export.write_text('{"id": "pools", "title": "Pools", "text": "A pool holds \n')
    report = shop.sync()
    assert report.removed == ()
    assert [(skip.id, skip.kept) for skip in report.skipped] == [("pools", True)]
    assert shop.current().articles.article("pools") is not None


def test_a_publish_that_fails_keeps_the_vectors_for_the_next_run(shop: Workshop) -> None:
    blocker = shop.index / "000001"
    shop.index.mkdir()
    blocker.touch()  # a folder cannot be renamed to the name of a file
    with pytest.raises(SnapshotNotWritten, match="the index is as it was"):
        shop.sync()
    blocker.unlink()
    assert shop.sync().embedded == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_articles_of_a_folder_that_cannot_be_read_keep_their_last_version(shop: Workshop) -> None:
    first = shop.sync()
    (shop.source / "guides").chmod(0)
    try:
        report = shop.sync()
    finally:
        (shop.source / "guides").chmod(0o755)
    assert (report.generation, report.removed, report.articles) == (None, (), first.articles)
    assert shop.skipped(report) == {"guides": ("the folder cannot be read", True)}


def test_articles_of_a_folder_that_becomes_a_link_keep_their_last_version(shop: Workshop) -> None:
    shop.sync()
    (shop.source / "guides").rename(shop.source.with_name("elsewhere"))
    (shop.source / "guides").symlink_to(shop.source.with_name("elsewhere"))
    (shop.source / "logging.md").unlink()
    report = shop.sync()
    assert report.removed == ("logging",)
    assert shop.skipped(report) == {"guides": ("a symbolic link", True)}
    assert shop.current().articles.article("guides/deploying") is not None


def test_nothing_is_removed_while_an_export_cannot_be_read(shop: Workshop) -> None:
    export = shop.source / "export.jsonl"
    export.write_text('{"id": "pools", "title": "Pools", "text": "A pool holds ten connections."}\n')
    shop.sync()
    export.unlink()
    export.symlink_to("/nowhere.jsonl")
    report = shop.sync()
    assert report.removed == ()
    assert shop.skipped(report) == {"export.jsonl": ("a symbolic link", True)}


def test_hostile_files_are_skipped_with_their_reasons_and_the_rest_is_ingested(shop: Workshop) -> None:
    aliases = "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    shop.write(bomb=f"---\na: &a [x]\n{aliases}---\nText.", dated="---\nupdated: 2024-02-30\n---\nText.")
    (shop.source / "latin.md").write_bytes(b"caf\xe9")
    (shop.source / "comments.html").write_text("<!--" * 20_000)
    (shop.source / "deep.html").write_text("<div>" * 2_000 + "x")
    (shop.source / "link.md").symlink_to("/etc/passwd")
    (shop.source / "up.md").symlink_to("../index/lock")
    os.mkfifo(shop.source / "pipe.md")
    with (shop.source / "huge.md").open("wb") as huge:
        huge.truncate(1 << 30)
    report = shop.sync()
    assert report.articles == 5
    assert shop.skipped(report) == {
        "bomb.md": ("the front matter cannot be read", False),
        "dated.md": ("the front matter cannot be read", False),
        "latin.md": ("not UTF-8", False),
        "comments.html": ("no text", False),
        "deep.html": ("the HTML is nested too deeply", False),
        "link.md": ("a symbolic link", False),
        "up.md": ("a symbolic link", False),
        "pipe.md": ("not a regular file", False),
        "huge.md": ("larger than 8 MB", False),
    }


def test_a_large_article_is_indexed_like_a_small_one(shop: Workshop) -> None:
    shop.write(large="# Large\n\nThe pool holds ten connections.\n\n" + "<!-- nothing to see -->\n\n" * 2_000)
    shop.sync()
    article = shop.current().articles.article("large")
    assert article is not None
    assert (article.title, len(article.markdown) > 32 * 1024) == ("Large", True)
