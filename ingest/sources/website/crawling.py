"""Reads a website as a source: the pages of its sitemap, or those reached by links, each as an article."""

from __future__ import annotations

import json
import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from indexes.types import Article, Category, digest
from ingest.errors import ArticleRejected, SourceMissing
from ingest.isolation import Isolated
from ingest.sources.items import Ignored, Skipped, SourceEntry, SourceItem, fingerprint
from ingest.sources.website.fetching import Fetched, Fetcher, Robots, client, read_robots
from ingest.sources.website.page_store import PageStore, StoredPage, WebPage
from ingest.sources.website.sitemaps import SitemapEntry, read_sitemaps
from ingest.sources.website.webpages import HTML, MARKDOWN, normal, page_id, read_page, within

_KINDS = (*HTML, *MARKDOWN)
_SILENT = 5  # requests in a row without a response: the site is down
_LARGE = 32 * 1024  # characters: larger articles are chunked in a process that can be stopped


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a website is read. Durations are in seconds.

    `pause`: between two requests; `fresh`: how long a page that was read is not requested again.
    """

    pages: int = 5_000
    depth: int = 10  # links from the first page
    seconds: float = 3_600.0
    pause: float = 0.1
    fresh: float = 0.0


class Website:
    """The site at an address: its host, under the path of the address. Pages are cached in `root`, the index."""

    def __init__(
        self, url: str, root: Path, limits: Limits, isolated: Isolated, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """Raises SourceMissing for an address with a password, which all viewers of its articles would see."""
        parts = urlsplit(url)
        if "@" in parts.netloc or not parts.hostname:
            raise SourceMissing(
                f"{parts.hostname or url} cannot be read: name it as https://host/path, without a user."
            )
        self._url = url
        self._root = root
        self._limits = limits
        self._isolated = isolated
        self._sleep = sleep

    @property
    def name(self) -> str:
        return self._url

    def read(self, ignored: Ignored) -> Iterator[SourceEntry]:
        """Every page, in order of discovery; a page that fails is skipped. Raises SourceMissing if none can be read."""
        start, pause = normal(self._url), self._limits.pause
        with client() as http, PageStore(self._root) as store:
            try:
                robots = read_robots(Fetcher(http, start, pause, self._sleep, lambda url: True), start)
            except SourceMissing as error:
                yield from _stored_pages(store, start, error)
                return
            fetcher = Fetcher(http, start, max(pause, robots.delay), self._sleep, robots.may)
            yield from _Crawl(start, self._limits, robots, fetcher, store, self._isolated, ignored).entries()


class _Crawl:
    """One walk through a site."""

    def __init__(
        self,
        start: str,
        limits: Limits,
        robots: Robots,
        fetcher: Fetcher,
        store: PageStore,
        isolated: Isolated,
        ignored: Ignored,
    ) -> None:
        self._start = start
        self._limits = limits
        self._robots = robots
        self._fetcher = fetcher
        self._store = store
        self._isolated = isolated
        self._ignored = ignored
        self._category = _category(start)
        self._began = store.started(start, time.time(), limits.fresh)
        self._deadline = time.monotonic() + limits.seconds
        self._waiting: deque[tuple[str, int, str]] = deque()  # address, links from the first page, date of last change
        self._known: set[str] = set()  # addresses waiting or done
        self._pages: dict[str, str] = {}  # article ids yielded, with digests of their text
        self._visited = self._answered = self._silent = 0
        self._problem = ""

    def entries(self) -> Iterator[SourceEntry]:
        follow = True
        for entry in self._sitemap_entries():
            if isinstance(entry, SitemapEntry):
                follow = follow and not self._enqueue(entry.url, 0, entry.modified)
            else:
                yield entry
        if follow:
            self._enqueue(self._start, 0, "")
        while self._waiting and not (limit := self._stop_reason()):
            url, depth, day = self._waiting.popleft()
            self._visited += 1
            yield from self._visit(url, depth, day, follow)
        if not self._answered and not self._store.unseen(self._start, math.inf):
            raise SourceMissing(f"No page of {self._start} could be read{self._problem and f' ({self._problem})'}.")
        yield from self._finish(limit if self._waiting else "")

    def _sitemap_entries(self) -> Iterator[SitemapEntry | Skipped]:
        named = [self._start] if ".xml" in urlsplit(self._start).path else self._robots.sitemaps
        sitemaps = named or [urljoin(self._start, "/sitemap.xml")]
        for entry in read_sitemaps(self._fetcher, sitemaps, self._start):
            if isinstance(entry, Skipped) or within(normal(entry.url), self._start):
                yield entry

    def _stop_reason(self) -> str:
        """Why no further page is read; "" to go on."""
        if self._visited >= self._limits.pages:
            return f"the limit of {self._limits.pages} pages was reached first: raise --max-pages"
        if time.monotonic() > self._deadline:
            return f"the limit of {self._limits.seconds / 60:.0f} minutes was reached first: raise --max-minutes"
        return "the site has stopped answering: try again later" if self._silent >= _SILENT else ""

    def _enqueue(self, url: str, depth: int, day: str) -> bool:
        """Queues an address unless it is known or not allowed; returns whether it belongs to the site."""
        url = normal(url)
        if url in self._known or not within(url, self._start):
            return url in self._known
        self._known.add(url)
        if self._robots.may(url):
            self._waiting.append((url, depth, day))
        else:
            self._ignored.counts["page that robots.txt disallows"] += 1
        return True

    def _visit(self, url: str, depth: int, day: str, follow: bool) -> Iterator[SourceEntry]:
        stored = self._store.get(self._start, url)
        if stored and stored.seen > self._began:  # already read by the interrupted crawl that this one continues
            self._answered += 1
            yield from self._article(url, stored.page)
        else:
            fetched = self._fetch(url, stored)
            if fetched.problem and not fetched.gone:
                yield self._skip(url, stored, fetched.problem)
                return
            page = self._page(url, fetched, stored, day)
            if page is None:
                return
            yield from self._article(url, page)
            stored = self._store.get(self._start, url)
        if follow and depth < self._limits.depth and stored:
            for link in stored.page.links:
                if "?" not in link:  # calendars and searches have endless addresses
                    self._enqueue(link, depth + 1, "")

    def _fetch(self, url: str, stored: StoredPage | None) -> Fetched:
        etag, modified = (stored.etag, stored.modified) if stored else ("", "")
        fetched = self._fetcher.fetch(url, etag=etag, modified=modified, kinds=_KINDS)
        self._silent = 0 if fetched.status else self._silent + 1
        self._answered += fetched.status in (200, 304)
        self._problem = fetched.problem or self._problem
        return fetched

    def _page(self, url: str, fetched: Fetched, stored: StoredPage | None, day: str) -> WebPage | None:
        """The page of a response, stored for next time; None if it is no page, or one already known."""
        if fetched.gone:
            self._store.forget(self._start, url)
            self._ignored.counts["page that is gone"] += 1
            return None
        if fetched.unchanged and stored:
            self._store.put(self._start, url, replace(stored, seen=time.time()))
            return stored.page
        if fetched.kind not in _KINDS:
            self._ignored.counts[fetched.kind] += 1
            return None
        final = normal(fetched.url)
        if final != url and final in self._known:
            return None  # redirected to a page that is visited on its own
        self._known.add(final)
        try:
            page = self._isolated.call(read_page, fetched, self._start, day, self._category)
        except ArticleRejected as error:
            page = WebPage(final, problem=str(error))
        self._store.put(self._start, url, StoredPage(page, fetched.etag, fetched.modified, time.time()))
        return page

    def _article(self, url: str, page: WebPage) -> Iterator[SourceEntry]:
        if page.hidden:
            self._ignored.counts["page that asks not to be indexed"] += 1
        elif page.article is None:
            yield Skipped(url, page.problem, page_id(page.url))
        else:
            yield from self._unless_duplicate(url, page.article)

    def _unless_duplicate(self, url: str, article: Article) -> Iterator[SourceItem]:
        """The article, unless another address of the site has the same one."""
        text = digest(article.markdown)
        if self._pages.get(article.id) != text:  # the sync reports different text under one id
            self._pages.setdefault(article.id, text)
            yield _item(url, article, self._category)

    def _skip(self, url: str, stored: StoredPage | None, reason: str) -> Skipped:
        if stored:
            self._store.put(self._start, url, replace(stored, seen=self._began))
        return Skipped(url, reason, page_id(stored.page.url if stored else url))

    def _finish(self, limit: str) -> Iterator[SourceEntry]:
        """Forgets pages that a complete walk did not reach; after one cut short, they keep their last version."""
        for url, page in self._store.unseen(self._start, self._began):
            if limit:
                yield from self._article(url, page)
            else:
                self._store.forget(self._start, url)
        if limit:
            yield Skipped(self._start, f"not read to its end: {limit}")
        self._store.ended(self._start)


def _stored_pages(store: PageStore, start: str, error: SourceMissing) -> Iterator[SourceEntry]:
    """Every page as last fetched, for a site that cannot be reached; raises `error` if there are none."""
    pages = store.unseen(start, math.inf)
    if not pages:
        raise error
    yield Skipped(start, f"{error} Its pages keep their last version.")
    yield from (_item(url, page.article, _category(start)) for url, page in pages if page.article and not page.hidden)


def _category(start: str) -> Category:
    host = urlsplit(start).netloc
    return Category(host, site_label=host, site_url=start)


def _item(url: str, article: Article, category: Category) -> SourceItem:
    raw = json.dumps(asdict(article), default=str).encode()
    large = len(article.markdown) > _LARGE
    return SourceItem(article.id, url, category, fingerprint(raw, "page", category), partial(_identity, article), large)


def _identity(article: Article) -> Article:
    return article
