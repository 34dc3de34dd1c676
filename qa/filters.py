"""Filters as asked for, and as they are stored."""

from __future__ import annotations

from difflib import get_close_matches

from indexes.types import Filter
from qa.corpus import Corpus
from qa.errors import UnknownTag


def known_filter(corpus: Corpus, filter: Filter) -> Filter:
    """`filter` with its tags as they are stored. Raises UnknownTag naming near ones."""
    known = []
    for tag in filter.tags:
        name = corpus.articles.tag_name(tag)
        if name is None:
            tags = {stored.casefold(): stored for stored in corpus.articles.tags()}
            near = get_close_matches(tag.casefold(), tags, n=3, cutoff=0.5)
            raise UnknownTag(tag, [tags[match] for match in near])
        known.append(name)
    return Filter(tuple(known), filter.mode)
