from __future__ import annotations

from qa.links import Links
from qa.related import related
from qa.types import Related
from tests.conftest import TINY, Site, write_articles


def related_to(site: Site, article_id: str, limit: int = 5) -> list[Related]:
    snapshot = site.services.store.current()
    article = snapshot.articles.article(article_id)
    assert article is not None
    return related(snapshot, article, limit, Links())


def test_an_article_that_shares_a_tag_is_related_and_the_reason_names_it(tiny_site: Site) -> None:
    first = related_to(tiny_site, "tokens")[0]
    assert (first.article_id, first.reason) == ("retries", "same topic: auth")


def test_an_article_is_not_related_to_itself_nor_to_its_copy(site: Site) -> None:
    write_articles(site.source, {"copies/tokens": TINY["tokens"]})
    site.ingest()
    found = [other.article_id for other in related_to(site, "tokens")]
    assert found
    assert not {"tokens", "copies/tokens"} & set(found)


def test_of_two_copies_only_one_is_related(site: Site) -> None:
    write_articles(site.source, {"copies/retries": TINY["retries"]})
    site.ingest()
    found = [other.article_id for other in related_to(site, "tokens")]
    assert len({"retries", "copies/retries"} & set(found)) == 1


def test_every_related_article_of_the_bundled_kb_has_a_reason_in_words(kb_site: Site) -> None:
    snapshot = kb_site.services.store.current()
    for article_id in snapshot.articles.ids():
        found = related_to(kb_site, article_id, limit=3)
        assert found, article_id
        assert all(r.reason.startswith(("same topic: ", "close in meaning")) for r in found)
        assert article_id not in [r.article_id for r in found]


def test_articles_that_share_no_tag_are_related_by_meaning_and_those_left_out_are_not(tiny_site: Site) -> None:
    snapshot = tiny_site.services.store.current()
    article = snapshot.articles.article("logging")
    assert article is not None
    everything = related(snapshot, article, 5, Links())
    assert all(other.reason.startswith("close in meaning") for other in everything)
    scores = [other.score for other in everything]
    assert scores == sorted(scores, reverse=True)
    without = {other.article_id for other in everything[:1]}
    assert related(snapshot, article, 5, Links(), without=tuple(without)) == everything[1:]


def test_no_more_are_related_than_are_wanted(tiny_site: Site) -> None:
    assert len(related_to(tiny_site, "tokens", limit=1)) == 1
    assert related_to(tiny_site, "tokens", limit=0) == []
