"""Reads the pages that a site lists in its sitemaps (https://www.sitemaps.org/protocol.html)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from ingest.sources.items import Skipped
from ingest.sources.website.fetching import Fetcher, same_host

_LARGEST = 50 * 1024 * 1024  # bytes, the protocol's limit
_MOST = 200  # sitemaps of one site
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class SitemapEntry:
    """A page of a sitemap; `modified` is an ISO date, or ""."""

    url: str
    modified: str


def read_sitemaps(fetcher: Fetcher, urls: Sequence[str], site: str) -> Iterator[SitemapEntry | Skipped]:
    """The pages of sitemaps, and of sitemaps they name, on the host of `site`. A missing one lists nothing."""
    waiting, known = list(urls), set(urls)
    for number, url in enumerate(waiting):  # grows during the loop
        if number >= _MOST:
            yield Skipped(url, f"more than {_MOST} sitemaps: the rest is not read")
            return
        fetched = fetcher.fetch(url, largest=_LARGEST)
        if fetched.gone or fetched.kind == "text/html":  # many sites serve a page for any address
            continue
        try:
            if fetched.problem:
                raise ValueError(fetched.problem)
            inner, pages = _parse(_unzip(fetched.body))
        except (ValueError, zlib.error, ElementTree.ParseError) as error:
            yield Skipped(url, f"the sitemap cannot be read ({error}): correct it")
            continue
        yield from pages
        new = [address for address in inner if address not in known and same_host(site, address)]
        waiting += new
        known.update(new)


def _parse(body: bytes) -> tuple[list[str], list[SitemapEntry]]:
    """(sitemaps named, pages named). Expat itself refuses entities that expand to gigabytes."""
    root = ElementTree.fromstring(body)
    inner = [_text(entry, "loc") for entry in root.iter() if _name(entry) == "sitemap"]
    pages = [
        SitemapEntry(_text(entry, "loc"), _text(entry, "lastmod")[:10])
        for entry in root.iter()
        if _name(entry) == "url"
    ]
    return [url for url in inner if url], [page for page in pages if page.url]


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _text(entry: ElementTree.Element, name: str) -> str:
    return next(((child.text or "").strip() for child in entry if _name(child) == name), "")


def _unzip(body: bytes) -> bytes:
    if not body.startswith(_GZIP):
        return body
    decompress = zlib.decompressobj(wbits=31)
    whole = decompress.decompress(body, _LARGEST)
    if decompress.unconsumed_tail:
        raise ValueError(f"larger than {_LARGEST // (1024 * 1024)} MB")
    return whole
