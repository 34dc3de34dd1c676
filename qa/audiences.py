"""May a reader see what was answered before? The articles it shows were for some, and may be for others by now."""

from __future__ import annotations

from collections.abc import Iterable

from indexes.snapshots.article_table import Audience
from indexes.types import Viewer
from qa.corpus import Corpus


def may_see(viewer: Viewer, then: Iterable[Audience], article_ids: Iterable[str], whole: Corpus) -> bool:
    """`then`: the audiences of the articles at that time; `whole`: the snapshot that says what they are now."""
    now = (whole.articles.audience_of(id) for id in article_ids)
    return all(viewer.may_read(audience) for audience in (*then, *now))
