"""An answer's Markdown for use outside the site: its marks become links with full addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from urllib.parse import urljoin

from qa.types import Answer, Citation, Section

# As in qa/writing/citing.py: `[1]` inside code is not a mark.
_MARK_OR_CODE = re.compile(
    r"(?P<fence>^(?P<ticks>`{3,}+|~{3,}+)[^\n]*+(?:\n(?!(?P=ticks)[ \t]*+$)[^\n]*+)*+(?:\n(?P=ticks)[ \t]*+$)?)"
    r"|(?P<code>(?<!`)(?P<quote>`++)(?:[^`]++|(?!(?P=quote)(?!`))`++)*+(?P=quote)(?!`))"
    r"|(?<!\\)\[(?P<n>\d+)\]",
    re.MULTILINE,
)
_AFTER_LINKED_MARK = re.compile(r"(?<!\\)\[\d+\]\([^()\s]*\)\s*")
_LINK_OF_THIS_SITE = re.compile(r"\]\(<?(/[^()<>\s]*)>?\)")


def full_addresses(citations: Sequence[Citation], site: str) -> dict[int, str]:
    """The full addresses of footnotes on `site`, such as "https://kb.example/"."""
    return {citation.n: urljoin(site, citation.url) for citation in citations}


def cited_at(citation: Citation, site: str) -> Citation:
    """The citation with its full address on `site`."""
    return replace(citation, url=urljoin(site, citation.url))


def section_at(section: Section, site: str) -> Section:
    """The section, likewise."""
    return replace(section, url=urljoin(site, section.url))


def linked(answer: Answer, site: str) -> str:
    """The text of an answer, each mark a link: `[1](https://kb.example/articles/…)`.

    Without citations, the articles and passages it names have full addresses; what it quotes stays as it is.
    """
    if not answer.citations:
        own = {near.url for near in answer.related} | {citation.url for citation in answer.closest}
        return _LINK_OF_THIS_SITE.sub(
            lambda link: f"]({urljoin(site, link[1])})" if link[1] in own else link[0], answer.text
        )
    urls = full_addresses(answer.citations, site)

    def link(match: re.Match[str]) -> str:
        url = urls.get(int(match["n"])) if match["n"] else None
        return f"{match[0]}({url})" if url else match[0]

    return _MARK_OR_CODE.sub(link, answer.text)


def pieces(text: str) -> Iterator[str]:
    """Linked text cut after its marks, so that a sentence arrives with its footnote."""
    start = 0
    for mark in _AFTER_LINKED_MARK.finditer(text):
        yield text[start : mark.end()]
        start = mark.end()
    if start < len(text):
        yield text[start:]
