"""A website as a source: the pages of its sitemap, or those that its links lead to, each as an article."""

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
from ingest.sources.items import Found, Ignored, Skipped, SourceItem, fingerprint
from ingest.sources.website.fetching import Fetched, Fetcher, Robots, client, read_robots
from ingest.sources.website.page_store import KeptPage, PageStore, WebPage
from ingest.sources.website.sitemaps import SitemapEntry, read_sitemaps
from ingest.sources.website.webpages import HTML, MARKDOWN, normal, page_id, read_page, within

_KINDS = (*HTML, *MARKDOWN)
_SILENT = 5  # pages in a row that get no answer: the site is down
_LARGE = 32 * 1024  # characters: chunked where it can be stopped


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a website is read. `pause`: the least time between two requests; `fresh`: for how long a page that
    was read is not asked for again; seconds."""

    pages: int = 5_000
    depth: int = 10  # links from the first page
    seconds: float = 3_600.0
    pause: float = 0.1
    fresh: float = 0.0


class Website:
    """The site that an address opens: its host, under the path of the address. Pages are kept in `root`, the index."""

    def __init__(
        self, url: str, root: Path, limits: Limits, isolated: Isolated, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """Raises SourceMissing for an address with a password, which every reader of its articles would see."""
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

    def read(self, ignored: Ignored) -> Iterator[Found]:
        """Every page, as it is come across. Raises SourceMissing if none can be read; a page that fails is skipped."""
        start, pause = normal(self._url), self._limits.pause
        with client() as http, PageStore(self._root) as store:
            try:
                robots = read_robots(Fetcher(http, start, pause, self._sleep, lambda url: True), start)
            except SourceMissing as error:
                yield from _all_kept(store, start, error)
                return
            fetcher = Fetcher(http, start, max(pause, robots.delay), self._sleep, robots.may)
            yield from _Crawl(start, self._limits, robots, fetcher, store, self._isolated, ignored).found()


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
        self._waiting: deque[tuple[str, int, str]] = deque()  # address, links from the first page, last change
        self._known: set[str] = set()  # addresses waiting or done
        self._pages: dict[str, str] = {}  # article ids given out, and digests of their text
        self._visited = self._answered = self._silent = 0
        self._problem = ""

    def found(self) -> Iterator[Found]:
        follow = True
        for entry in self._listed():
            if isinstance(entry, SitemapEntry):
                follow = follow and not self._offer(entry.url, 0, entry.modified)
            else:
                yield entry
        if follow:
            self._offer(self._start, 0, "")
        while self._waiting and not (limit := self._limit()):
            url, depth, day = self._waiting.popleft()
            self._visited += 1
            yield from self._visit(url, depth, day, follow)
        if not self._answered and not self._store.unseen(self._start, math.inf):
            raise SourceMissing(f"No page of {self._start} could be read{self._problem and f' ({self._problem})'}.")
        yield from self._end(limit if self._waiting else "")

    def _listed(self) -> Iterator[SitemapEntry | Skipped]:
        named = [self._start] if ".xml" in urlsplit(self._start).path else self._robots.sitemaps
        wanted = named or [urljoin(self._start, "/sitemap.xml")]
        for entry in read_sitemaps(self._fetcher, wanted, self._start):
            if isinstance(entry, Skipped) or within(normal(entry.url), self._start):
                yield entry

    def _limit(self) -> str:
        """Why no further page is read, or ""."""
        if self._visited >= self._limits.pages:
            return f"the limit of {self._limits.pages} pages was reached first: raise --max-pages"
        if time.monotonic() > self._deadline:
            return f"the limit of {self._limits.seconds / 60:.0f} minutes was reached first: raise --max-minutes"
        return "the site has stopped answering: try again later" if self._silent >= _SILENT else ""

    def _offer(self, url: str, depth: int, day: str) -> bool:
        """Put an address in the queue, unless it was there already or may not be visited; whether it is of the site."""
        url = normal(url)
        if url in self._known or not within(url, self._start):
            return url in self._known
        self._known.add(url)
        if self._robots.may(url):
            self._waiting.append((url, depth, day))
        else:
            self._ignored.by_ending["page that robots.txt disallows"] += 1
        return True

    def _visit(self, url: str, depth: int, day: str, follow: bool) -> Iterator[Found]:
        kept = self._store.get(self._start, url)
        if kept and kept.seen > self._began:  # the crawl that was stopped had got this far
            self._answered += 1
            yield from self._article(url, kept.page)
        else:
            fetched = self._fetch(url, kept)
            if fetched.problem and not fetched.gone:
                yield self._failed(url, kept, fetched.problem)
                return
            page = self._page(url, fetched, kept, day)
            if page is None:
                return
            yield from self._article(url, page)
            kept = self._store.get(self._start, url)
        if follow and depth < self._limits.depth and kept:
            for link in kept.page.links:
                if "?" not in link:  # calendars and searches never end
                    self._offer(link, depth + 1, "")

    def _fetch(self, url: str, kept: KeptPage | None) -> Fetched:
        etag, modified = (kept.etag, kept.modified) if kept else ("", "")
        fetched = self._fetcher.fetch(url, etag=etag, modified=modified, kinds=_KINDS)
        self._silent = 0 if fetched.status else self._silent + 1
        self._answered += fetched.status in (200, 304)
        self._problem = fetched.problem or self._problem
        return fetched

    def _page(self, url: str, fetched: Fetched, kept: KeptPage | None, day: str) -> WebPage | None:
        """What an answer holds, kept for the next time; None if it is no page, or one that is known already."""
        if fetched.gone:
            self._store.forget(self._start, url)
            self._ignored.by_ending["page that is gone"] += 1
            return None
        if fetched.unchanged and kept:
            self._store.put(self._start, url, replace(kept, seen=time.time()))
            return kept.page
        if fetched.kind not in _KINDS:
            self._ignored.by_ending[fetched.kind] += 1
            return None
        final = normal(fetched.url)
        if final != url and final in self._known:
            return None  # it leads to a page that has its own turn
        self._known.add(final)
        try:
            page = self._isolated.call(read_page, fetched, self._start, day, self._category)
        except ArticleRejected as error:
            page = WebPage(final, problem=str(error))
        self._store.put(self._start, url, KeptPage(page, fetched.etag, fetched.modified, time.time()))
        return page

    def _article(self, url: str, page: WebPage) -> Iterator[Found]:
        if page.hidden:
            self._ignored.by_ending["page that asks not to be indexed"] += 1
        elif page.article is None:
            yield Skipped(url, page.problem, page_id(page.url))
        else:
            yield from self._once(url, page.article)

    def _once(self, url: str, article: Article) -> Iterator[SourceItem]:
        """The article, unless the same one was found at another address of the site."""
        text = digest(article.markdown)
        if self._pages.get(article.id) != text:  # another text under a known id is reported by the sync
            self._pages.setdefault(article.id, text)
            yield _item(url, article, self._category)

    def _failed(self, url: str, kept: KeptPage | None, reason: str) -> Skipped:
        if kept:
            self._store.put(self._start, url, replace(kept, seen=self._began))
        return Skipped(url, reason, page_id(kept.page.url if kept else url))

    def _end(self, limit: str) -> Iterator[Found]:
        """After a whole walk, pages it did not come across are gone; of one cut short, they keep their last version."""
        for url, page in self._store.unseen(self._start, self._began):
            if limit:
                yield from self._article(url, page)
            else:
                self._store.forget(self._start, url)
        if limit:
            yield Skipped(self._start, f"not read to its end: {limit}")
        self._store.ended(self._start)


def _all_kept(store: PageStore, start: str, error: SourceMissing) -> Iterator[Found]:
    """Every page as it was last fetched, of a site that cannot be reached; the error if there is none."""
    kept = store.unseen(start, math.inf)
    if not kept:
        raise error
    yield Skipped(start, f"{error} Its pages keep their last version.")
    yield from (_item(url, page.article, _category(start)) for url, page in kept if page.article and not page.hidden)


def _category(start: str) -> Category:
    host = urlsplit(start).netloc
    return Category(host, site_label=host, site_url=start)


def _item(url: str, article: Article, category: Category) -> SourceItem:
    raw = json.dumps(asdict(article), default=str).encode()
    large = len(article.markdown) > _LARGE
    return SourceItem(article.id, url, category, fingerprint(raw, "page", category), partial(_itself, article), large)


def _itself(article: Article) -> Article:
    return article
