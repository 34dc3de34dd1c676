"""What may be asked next: what the sources of an answer go on to say."""

from __future__ import annotations

import re

from qa.corpus import Corpus
from qa.types import Answer

_MOST = 3
# Headings that every article has say nothing about what is below them.
_COMMON = re.compile(
    r"(?:introduction|overview|summary|conclusion|checklist|references?|further reading|background|example|next steps)"
    r"s?\b.*|.*\bchecklist",
    re.IGNORECASE,
)


def suggestions(answer: Answer, corpus: Corpus) -> tuple[str, ...]:
    """Up to three questions about sections of the cited articles that the answer did not quote, first source first."""
    quoted = {heading for citation in answer.citations for heading in citation.heading}
    asked: list[str] = []
    for article_id, title in dict.fromkeys((c.article_id, c.title) for c in answer.citations):
        headings = [h for h in corpus.articles.headings(article_id) if h.level == 2 and h.text not in quoted]
        useful = [h.text for h in headings if not _COMMON.fullmatch(h.text) and h.text != title]
        asked += [_question(text, title) for text in useful[:2]]
    return tuple(dict.fromkeys(asked))[:_MOST]


def _question(heading: str, title: str) -> str:
    if heading.endswith("?"):
        return heading
    subject = re.split(r"[—:–(]", title, maxsplit=1)[0].rstrip()
    # A capital that only begins the heading goes: "Token storage", but "JWT storage".
    first, rest = heading[:1], heading[1:]
    return f"{subject}: {first.lower() + rest if rest[:1].islower() or rest[:1] == ' ' else heading}"
