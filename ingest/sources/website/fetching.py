"""Fetches the pages of one host as a polite robot: slowly, within limits, and from nowhere else."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from email.message import Message
from importlib.metadata import version
from urllib.parse import urljoin, urlsplit

import httpx2
from protego import Protego

from ingest.errors import SourceMissing
from ingest.formats.parsing import LARGEST

USER_AGENT = f"footnote/{version('footnote')} (indexes a site for a knowledge base; started by a person)"
_TOKEN = "footnote"  # our name in a robots.txt
_TIMEOUT = httpx2.Timeout(20.0, connect=10.0)
_PAGE_SECONDS = 60.0  # for one page, however slowly it arrives
_REDIRECTS = 5
_TRIES = 3
_LONGEST_WAIT = 30.0  # seconds that a Retry-After or Crawl-delay may ask for
_RETRIED = frozenset({429, 500, 502, 503, 504})
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Fetched:
    """The response of an address; `problem` says why there is nothing to read."""

    url: str  # after redirects
    status: int = 0  # 0: no answer
    kind: str = ""  # the media type, without parameters
    charset: str = ""
    body: bytes = b""
    etag: str = ""
    modified: str = ""  # the Last-Modified header as it came
    problem: str = ""

    @property
    def unchanged(self) -> bool:
        return self.status == 304

    @property
    def gone(self) -> bool:
        return self.status in (404, 410)


class _Elsewhere(Exception):
    """A redirect that may not be followed; the message is the reason."""


def client() -> httpx2.Client:
    """An HTTP client that names itself and leaves redirects to `Fetcher`."""
    return httpx2.Client(headers={"User-Agent": USER_AGENT}, timeout=_TIMEOUT, follow_redirects=False)


def same_host(one: str, other: str) -> bool:
    """Whether two addresses have the same host and port; https instead of http counts as the same."""
    a, b = urlsplit(one), urlsplit(other)
    if not {a.scheme, b.scheme} <= _PORTS.keys() or a.hostname != b.hostname:
        return False
    return _port(one) == _port(other) or (a.scheme, b.scheme, _port(one), _port(other)) == ("http", "https", 80, 443)


def _port(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or _PORTS[parts.scheme]


class Fetcher:
    """Fetches only from the host of `site`, with `pause` seconds between two requests.

    `may` says which addresses robots.txt allows.
    """

    def __init__(
        self, client: httpx2.Client, site: str, pause: float, sleep: Callable[[float], None], may: Callable[[str], bool]
    ) -> None:
        self._client = client
        self._site = site
        self._pause = pause
        self._sleep = sleep
        self._may = may
        self._last = 0.0

    def fetch(
        self, url: str, *, etag: str = "", modified: str = "", kinds: Collection[str] = (), largest: int = LARGEST
    ) -> Fetched:
        """Never raises for what a server does. The body is read only if its kind is among `kinds`, if given."""
        headers = {"Accept": ", ".join(kinds) or "*/*"}
        headers.update({"If-None-Match": etag} if etag else {}, **({"If-Modified-Since": modified} if modified else {}))
        for attempt in range(_TRIES):
            fetched, wait = self._try(url, headers, kinds, largest)
            if not wait or attempt == _TRIES - 1:
                break
            self._sleep(min(max(wait, 2.0**attempt), _LONGEST_WAIT))
        return fetched

    def _try(self, url: str, headers: dict[str, str], kinds: Collection[str], largest: int) -> tuple[Fetched, float]:
        """The response, and the seconds to wait before a retry (0: no retry)."""
        try:
            return self._follow(url, headers, kinds, largest)
        except _Elsewhere as error:
            return Fetched(url, problem=str(error)), 0.0
        except httpx2.DecodingError:
            return Fetched(url, problem="its compressed form is damaged"), 0.0
        except httpx2.TimeoutException:
            return Fetched(url, problem="no answer in time"), 1.0
        except httpx2.TransportError as error:
            return Fetched(url, problem=f"no answer ({error})"), 1.0
        except (httpx2.InvalidURL, httpx2.HTTPError, ValueError) as error:
            return Fetched(url, problem=f"cannot be fetched ({error})"), 0.0

    def _follow(self, url: str, headers: dict[str, str], kinds: Collection[str], largest: int) -> tuple[Fetched, float]:
        for _ in range(_REDIRECTS + 1):
            self._wait()
            with self._client.stream("GET", url, headers=headers) as response:
                if response.status_code not in (301, 302, 303, 307, 308):
                    return _read(url, response, kinds, largest), _retry_after(response)
                url = self._redirect_target(url, response.headers.get("location", ""))
        raise _Elsewhere(f"it redirects more than {_REDIRECTS} times")

    def _redirect_target(self, url: str, location: str) -> str:
        target = urljoin(url, location).partition("#")[0]
        if not location or not same_host(self._site, target):
            raise _Elsewhere(f"it redirects to {target}, which is another host")
        if not self._may(target):
            raise _Elsewhere(f"it redirects to {target}, which robots.txt does not allow")
        return target

    def _wait(self) -> None:
        left = self._last + self._pause - time.monotonic()
        if left > 0:
            self._sleep(left)
        self._last = time.monotonic()


def _retry_after(response: httpx2.Response) -> float:
    if response.status_code not in _RETRIED:
        return 0.0
    seconds = response.headers.get("retry-after", "")
    return float(seconds) if seconds.isdecimal() else 1.0


def _read(url: str, response: httpx2.Response, kinds: Collection[str], largest: int) -> Fetched:
    header = Message()
    header["content-type"] = response.headers.get("content-type", "")
    kind, charset = header.get_content_type(), header.get_content_charset() or ""
    etag, modified = response.headers.get("etag", ""), response.headers.get("last-modified", "")
    status = response.status_code
    if status == 304:
        return Fetched(url, status)
    if status != 200:
        return Fetched(url, status, problem=f"the server answers {status}")
    if kinds and kind not in kinds:
        return Fetched(url, status, kind)
    body, problem = _body(response, largest)
    return Fetched(url, status, kind, charset, body, etag, modified, problem)


def _body(response: httpx2.Response, largest: int) -> tuple[bytes, str]:
    """The body, or why it was abandoned: one that is too large or slow is not read to its end."""
    deadline = time.monotonic() + _PAGE_SECONDS
    body = bytearray()
    for piece in response.iter_bytes(65_536):
        body += piece
        if len(body) > largest:
            return b"", f"larger than {largest // (1024 * 1024)} MB"
        if time.monotonic() > deadline:
            return b"", f"not read within {_PAGE_SECONDS:.0f} s"
    return bytes(body), ""


@dataclass(frozen=True, slots=True)
class Robots:
    """A host's robots.txt, as it applies to us."""

    rules: Protego

    def may(self, url: str) -> bool:
        return bool(self.rules.can_fetch(url, _TOKEN))

    @property
    def delay(self) -> float:
        return min(float(self.rules.crawl_delay(_TOKEN) or 0.0), _LONGEST_WAIT)

    @property
    def sitemaps(self) -> list[str]:
        return list(self.rules.sitemaps)


def read_robots(fetcher: Fetcher, site: str) -> Robots:
    """By RFC 9309, no file allows everything and an unreachable one allows nothing: then raises SourceMissing."""
    fetched = fetcher.fetch(urljoin(site, "/robots.txt"), largest=512 * 1024)
    if 400 <= fetched.status < 500 and fetched.status != 429:
        return Robots(Protego.parse(""))
    if fetched.problem:
        raise SourceMissing(f"{fetched.url} cannot be read ({fetched.problem}): check the address, or try again later.")
    return Robots(Protego.parse(fetched.body.decode("utf-8-sig", "replace")))
