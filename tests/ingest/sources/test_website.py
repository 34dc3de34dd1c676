"""A website as a source, over real HTTP on loopback: what is fetched, what is not, and what stays."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.errors import SourceMissing
from ingest.formats.parsing import LARGEST
from ingest.isolation import Isolated
from ingest.sources.items import Ignored, Skipped, SourceEntry, SourceItem
from ingest.sources.website.crawling import Limits, Website
from tests.ingest.sources.served import Reply, ServedSite, page, serving

LIMITS = Limits(pause=0.0)


@pytest.fixture
def site() -> Iterator[ServedSite]:
    """Three pages that link to each other, no robots.txt, no sitemap."""
    pages = {
        "/": page("Welcome", "/guide/", "/guide/setup.html", "https://elsewhere.example/x"),
        "/guide/": page("Guide", "/", "setup.html#top"),
        "/guide/setup.html": page("Setup", "/guide/"),
    }
    with serving(pages) as site:
        yield site


class Reader:
    """Reads a site as an ingest does; `waits` are the pauses it would have made."""

    def __init__(self, root: Path, isolated: Isolated) -> None:
        self.root = root
        self.isolated = isolated
        self.waits: list[float] = []
        self.ignored: dict[str, int] = {}

    def read(self, url: str, limits: Limits = LIMITS) -> list[SourceEntry]:
        ignored = Ignored()
        found = list(Website(url, self.root, limits, self.isolated, self.waits.append).read(ignored))
        self.ignored = dict(ignored.counts)
        return found

    def ids(self, url: str, limits: Limits = LIMITS) -> list[str]:
        return [item.id for item in self.read(url, limits) if isinstance(item, SourceItem)]

    def skipped(self, url: str, limits: Limits = LIMITS) -> dict[str, str]:
        return {item.id: item.reason for item in self.read(url, limits) if isinstance(item, Skipped)}


@pytest.fixture(scope="module")
def isolated() -> Iterator[Isolated]:
    with Isolated() as isolated:
        yield isolated


@pytest.fixture
def viewer(tmp_path: Path, isolated: Isolated) -> Reader:
    return Reader(tmp_path, isolated)


def sitemap(*urls: str) -> Reply:
    entries = "".join(f"<url><loc>{url}</loc><lastmod>2026-03-30T08:00:00Z</lastmod></url>" for url in urls)
    text = f'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</urlset>'
    return Reply(text, kind="application/xml")


# --- what is found


def test_links_are_followed_from_the_start_on_the_same_host(site: ServedSite, viewer: Reader) -> None:
    host = site.url.removeprefix("http://")
    assert viewer.ids(site.url) == [host, "guide", "guide/setup"]
    assert site.paths() == ["/robots.txt", "/sitemap.xml", "/", "/guide/", "/guide/setup.html"]


def test_a_page_becomes_its_main_content_with_title_address_and_category(site: ServedSite, viewer: Reader) -> None:
    (item,) = [item for item in viewer.read(site.url) if isinstance(item, SourceItem) and item.id == "guide/setup"]
    article = item.parse()
    assert (article.title, article.source_url) == ("Setup", f"{site.url}/guide/setup.html")
    assert article.markdown == "# Setup\n\nThis page explains setup in one whole sentence."
    assert item.category.site_url == f"{site.url}/"


def test_a_relative_link_becomes_an_absolute_one(site: ServedSite, viewer: Reader) -> None:
    site.pages["/"] = Reply('<main><p>Before anything else, read <a href="guide/setup.html">how to set up</a>.</main>')
    article = next(item for item in viewer.read(site.url) if isinstance(item, SourceItem)).parse()
    assert f"[how to set up]({site.url}/guide/setup.html)" in article.markdown


def test_an_address_with_a_path_stays_under_it(site: ServedSite, viewer: Reader) -> None:
    assert viewer.ids(f"{site.url}/guide/") == ["guide", "guide/setup"]
    assert "/" not in site.paths()


def test_a_sitemap_lists_the_pages_and_their_dates(site: ServedSite, viewer: Reader) -> None:
    site.pages["/sitemap.xml"] = sitemap(f"{site.url}/guide/", "https://elsewhere.example/y")
    (item,) = [item for item in viewer.read(site.url) if isinstance(item, SourceItem)]
    assert (item.id, str(item.parse().updated)) == ("guide", "2026-03-30")


def test_an_index_of_zipped_sitemaps_named_by_robots_is_read(site: ServedSite, viewer: Reader) -> None:
    site.pages["/robots.txt"] = Reply(f"Sitemap: {site.url}/index.xml", kind="text/plain")
    site.pages["/index.xml"] = Reply(f"<sitemapindex><sitemap><loc>{site.url}/a.xml.gz</loc></sitemap></sitemapindex>")
    site.pages["/index.xml"].kind = "application/xml"
    inner = sitemap(f"{site.url}/guide/setup.html").body
    assert isinstance(inner, str)
    site.pages["/a.xml.gz"] = Reply(gzip.compress(inner.encode()), kind="application/gzip")
    assert viewer.ids(site.url) == ["guide/setup"]


@pytest.mark.parametrize("body", ["<urlset><url>", "no xml at all", gzip.compress(b"x" * 5)[:9]])
def test_a_broken_sitemap_is_reported_and_links_are_followed(
    site: ServedSite, viewer: Reader, body: bytes | str
) -> None:
    site.pages["/sitemap.xml"] = Reply(body, kind="application/xml")
    found = viewer.read(site.url)
    assert [item.id for item in found if isinstance(item, SourceItem)][1:] == ["guide", "guide/setup"]
    assert ["the sitemap cannot be read" in item.reason for item in found if isinstance(item, Skipped)] == [True]


def test_a_sitemap_that_zips_gigabytes_is_refused(site: ServedSite, viewer: Reader) -> None:
    site.pages["/sitemap.xml"] = Reply(gzip.compress(b" " * (51 << 20)), kind="application/gzip")
    assert "larger than 50 MB" in next(iter(viewer.skipped(site.url).values()))


def test_a_canonical_address_names_the_page_and_its_copies_are_left_out(site: ServedSite, viewer: Reader) -> None:
    canonical = f'<link rel="canonical" href="{site.url}/guide/setup.html">'
    site.pages["/guide/setup.html"] = page("Setup", head=canonical)
    site.pages["/guide/old.html"] = page("Setup", head=canonical)
    site.pages["/guide/"] = page("Guide", "old.html", "setup.html")
    assert viewer.ids(f"{site.url}/guide/") == ["guide", "guide/setup"]


def test_a_page_in_another_encoding_is_read(site: ServedSite, viewer: Reader) -> None:
    site.pages["/"] = Reply("<main>Das Verzeichnis enthält größere Dateien als zuvor.".encode("latin-1"))
    site.pages["/"].kind = "text/html; charset=iso-8859-1"
    (item,) = [item for item in viewer.read(site.url) if isinstance(item, SourceItem)]
    assert "enthält größere" in item.parse().markdown


def test_a_page_that_names_no_encoding_is_read_as_utf_8_where_it_is_that(site: ServedSite, viewer: Reader) -> None:
    site.pages["/"] = Reply("<title>Keys – Acme</title><main>Keys are rotated – every ninety days.", kind="text/html")
    (item,) = [item for item in viewer.read(site.url) if isinstance(item, SourceItem)]
    assert (item.parse().title, item.parse().markdown) == ("Keys – Acme", "Keys are rotated – every ninety days.")


def test_markdown_is_read_and_other_kinds_are_counted(site: ServedSite, viewer: Reader) -> None:
    site.pages["/"] = page("Welcome", "/notes.md", "/logo.png")
    site.pages["/notes.md"] = Reply("# Notes\n\nA pool holds ten connections.", kind="text/markdown")
    site.pages["/logo.png"] = Reply(b"\x89PNG", kind="image/png")
    assert viewer.ids(site.url)[1:] == ["notes"]
    assert viewer.ignored == {"image/png": 1}


# --- manners


def test_robots_txt_is_obeyed_and_its_delay_kept(site: ServedSite, viewer: Reader) -> None:
    site.pages["/robots.txt"] = Reply("User-agent: *\nDisallow: /guide/*.html\nCrawl-delay: 20", kind="text/plain")
    assert viewer.ids(site.url)[1:] == ["guide"]
    assert "/guide/setup.html" not in site.paths()
    assert viewer.ignored == {"page that robots.txt disallows": 1}
    assert [10 < wait <= 20 for wait in viewer.waits] == [True, True]  # before each page


def test_a_robots_txt_that_cannot_be_had_allows_nothing(site: ServedSite, viewer: Reader) -> None:
    site.pages["/robots.txt"] = Reply("", status=503)
    with pytest.raises(SourceMissing, match=r"robots\.txt cannot be read \(the server answers 503\)"):
        viewer.read(site.url)
    assert set(site.paths()) == {"/robots.txt"}


def test_every_request_says_who_asks(site: ServedSite, viewer: Reader) -> None:
    viewer.read(site.url)
    (agent,) = site.agents
    assert agent.startswith("footnote/")


def test_a_page_that_asks_not_to_be_indexed_is_not(site: ServedSite, viewer: Reader) -> None:
    site.pages["/guide/"] = page("Guide", "setup.html", head='<meta name="robots" content="noindex">')
    assert viewer.ids(f"{site.url}/guide/") == ["guide/setup"]
    assert viewer.ignored == {"page that asks not to be indexed": 1}


def test_a_redirect_is_followed_within_the_host_and_never_out_of_it(site: ServedSite, viewer: Reader) -> None:
    site.pages["/"] = page("Welcome", "/old", "/out", "/scheme")
    site.pages["/guide/setup.html"] = page("Setup")
    site.pages["/old"] = Reply(status=301, headers={"Location": "/guide/setup.html"})
    with serving({"/": page("Secret")}) as other:
        site.pages["/out"] = Reply(status=302, headers={"Location": f"{other.url}/"})
        site.pages["/scheme"] = Reply(status=302, headers={"Location": "file:///etc/passwd"})
        found = viewer.read(site.url)
        assert other.asked == []
    assert [item.id for item in found if isinstance(item, SourceItem)][1:] == ["guide/setup"]
    reasons = {item.id: item.reason for item in found if isinstance(item, Skipped)}
    assert "which is another host" in reasons["out"]
    assert "file:///etc/passwd, which is another host" in reasons["scheme"]


def test_a_redirect_without_end_is_given_up(site: ServedSite, viewer: Reader) -> None:
    site.pages["/"] = page("Welcome", "/loop")
    site.pages["/loop"] = Reply(status=302, headers={"Location": "/loop"})
    assert viewer.skipped(site.url) == {"loop": "it redirects more than 5 times"}


def test_an_answer_that_says_try_again_is_tried_again(site: ServedSite, viewer: Reader) -> None:
    site.pages["/guide/"] = Reply(status=503, headers={"Retry-After": "7"})
    assert viewer.skipped(site.url) == {"guide": "the server answers 503"}
    assert site.paths().count("/guide/") == 3
    assert viewer.waits == [7.0, 7.0]


# --- limits


def test_a_page_that_is_too_large_is_left_even_where_it_is_compressed(site: ServedSite, viewer: Reader) -> None:
    site.pages["/guide/"] = Reply(gzip.compress(b"x" * (LARGEST + 1)), headers={"Content-Encoding": "gzip"})
    assert viewer.skipped(site.url) == {"guide": "larger than 8 MB"}


def test_depth_is_limited(site: ServedSite, viewer: Reader) -> None:
    site.pages["/"] = page("Welcome", "/guide/")
    assert viewer.ids(site.url, replace(LIMITS, depth=1))[1:] == ["guide"]


def test_pages_beyond_the_limit_keep_their_last_version_and_the_report_says_so(
    site: ServedSite, viewer: Reader
) -> None:
    viewer.read(site.url)
    found = viewer.read(site.url, replace(LIMITS, pages=2))
    assert [item.id for item in found if isinstance(item, SourceItem)][1:] == ["guide", "guide/setup"]
    (reason,) = [item.reason for item in found if isinstance(item, Skipped)]
    assert reason == "not read to its end: the limit of 2 pages was reached first: raise --max-pages"


# --- again


def test_an_unchanged_site_is_answered_by_304_and_gives_the_same_articles(site: ServedSite, viewer: Reader) -> None:
    for path, reply in site.pages.items():
        reply.etag = f'"{path}"'
    first = [item for item in viewer.read(site.url) if isinstance(item, SourceItem)]
    site.asked.clear()
    second = [item for item in viewer.read(site.url) if isinstance(item, SourceItem)]
    assert [(item.id, item.fingerprint, item.parse()) for item in second] == [
        (item.id, item.fingerprint, item.parse()) for item in first
    ]
    assert [status for path, status in site.asked if path in site.pages] == [304, 304, 304]


def test_a_changed_page_is_read_anew(site: ServedSite, viewer: Reader) -> None:
    before = {item.id: item.fingerprint for item in viewer.read(site.url) if isinstance(item, SourceItem)}
    site.pages["/guide/"] = page("Guide", "setup.html", "/more")
    site.pages["/more"] = page("More")
    after = {item.id: item.fingerprint for item in viewer.read(site.url) if isinstance(item, SourceItem)}
    assert after.keys() - before.keys() == {"more"}
    assert [id for id in before if before[id] != after[id]] == []  # navigation is no part of an article


def test_a_page_that_is_gone_is_neither_found_nor_reported(site: ServedSite, viewer: Reader) -> None:
    viewer.read(site.url)
    del site.pages["/guide/setup.html"]
    assert viewer.skipped(site.url) == {}
    assert viewer.ignored == {"page that is gone": 1}


def test_a_page_that_fails_is_skipped_under_the_id_it_had(site: ServedSite, viewer: Reader) -> None:
    site.pages["/guide/setup.html"] = page("Setup", head=f'<link rel="canonical" href="{site.url}/guide/install">')
    viewer.read(site.url)
    site.pages["/guide/setup.html"] = Reply(status=500)
    assert viewer.skipped(site.url) == {"guide/install": "the server answers 500"}


def test_a_crawl_that_was_stopped_goes_on_where_it_was(site: ServedSite, viewer: Reader) -> None:
    walk = Website(site.url, viewer.root, LIMITS, viewer.isolated, viewer.waits.append).read(Ignored())
    next(walk), next(walk)
    del walk
    site.asked.clear()
    assert viewer.ids(site.url)[1:] == ["guide", "guide/setup"]
    assert [path for path in site.paths() if path in site.pages] == ["/guide/setup.html"]


def test_a_page_read_a_moment_ago_is_not_asked_for_where_that_is_fresh_enough(site: ServedSite, viewer: Reader) -> None:
    viewer.read(site.url)
    site.asked.clear()
    assert len(viewer.ids(site.url, replace(LIMITS, fresh=60.0))) == 3
    assert site.paths() == ["/robots.txt", "/sitemap.xml"]


def test_a_torn_file_of_kept_pages_is_no_obstacle(site: ServedSite, viewer: Reader) -> None:
    (viewer.root / "websites.sqlite").write_bytes(b"SQLite format 3\x00" + b"\xff" * 5_000)
    assert len(viewer.ids(site.url)) == 3


@pytest.mark.parametrize("url", ["https://me:secret@docs.example.com/", "https:///path"])
def test_an_address_with_a_password_or_without_a_host_is_refused(viewer: Reader, url: str) -> None:
    with pytest.raises(SourceMissing, match="without a user") as raised:
        viewer.read(url)
    assert "secret" not in str(raised.value)


def test_a_link_that_names_a_user_is_followed_without(site: ServedSite, viewer: Reader) -> None:
    site.pages["/"] = page("Welcome", site.url.replace("//", "//me:secret@") + "/guide/setup.html")
    found = {item.id: item for item in viewer.read(site.url) if isinstance(item, SourceItem)}
    assert "secret" not in str(found["guide/setup"].parse().source_url)


def test_a_site_that_is_down_is_named(viewer: Reader) -> None:
    with serving({}) as gone:
        pass
    with pytest.raises(SourceMissing, match=r"robots\.txt cannot be read \(no answer"):
        viewer.read(gone.url)


def test_a_site_that_goes_down_keeps_its_pages_and_the_report_says_so(viewer: Reader) -> None:
    with serving({"/": page("Welcome"), "/robots.txt": Reply(status=404)}) as site:
        before = [(item.id, item.fingerprint) for item in viewer.read(site.url) if isinstance(item, SourceItem)]
    down = viewer.read(site.url)
    assert [(item.id, item.fingerprint) for item in down if isinstance(item, SourceItem)] == before
    assert ["keep their last version" in item.reason for item in down if isinstance(item, Skipped)] == [True]


def test_a_site_without_a_page_is_named(viewer: Reader) -> None:
    with serving({}) as empty, pytest.raises(SourceMissing, match=r"No page of .* could be read \(the server answers"):
        viewer.read(empty.url)


def test_a_hostile_page_costs_itself_alone(site: ServedSite, viewer: Reader) -> None:
    site.pages["/guide/"] = Reply("<div>" * 2_000)
    site.pages["/"] = page("Welcome", "http://[", "javascript:alert(1)", "/guide/", "/guide/setup.html")
    found = viewer.read(site.url)
    assert [item.id for item in found if isinstance(item, SourceItem)][1:] == ["guide/setup"]
    assert [item.id for item in found if isinstance(item, Skipped)] == ["guide"]
