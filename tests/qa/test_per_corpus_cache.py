from __future__ import annotations

import gc
import weakref

from qa.per_corpus_cache import PerCorpusCache
from tests.conftest import Site


def test_what_is_kept_for_one_snapshot_is_not_there_for_another(site: Site) -> None:
    kept: PerCorpusCache[str, int] = PerCorpusCache(most=10)
    first = site.services.store.current()
    kept.of(first)["tokens"] = 1
    (site.source / "tokens.md").write_text("# Tokens\n\nNothing is as it was.")
    site.ingest()
    second = site.services.store.current()
    assert (first is not second, kept.of(first), kept.of(second)) == (True, {"tokens": 1}, {})


def test_what_is_kept_never_grows_beyond_its_bound(site: Site) -> None:
    kept, snapshot = PerCorpusCache[int, int](most=10), site.services.store.current()
    for number in range(1_000):
        kept.of(snapshot)[number] = number
        assert len(kept.of(snapshot)) <= 10


def test_a_snapshot_is_not_held_by_what_is_kept_for_it(site: Site) -> None:
    kept: PerCorpusCache[str, int] = PerCorpusCache(most=10)
    snapshot = site.services.store.current()
    kept.of(snapshot)["tokens"] = 1
    gone = weakref.ref(snapshot)
    del snapshot
    (site.source / "tokens.md").write_text("# Tokens\n\nNothing is as it was.")
    site.ingest()
    site.services.store.current()
    gc.collect()
    assert gone() is None
