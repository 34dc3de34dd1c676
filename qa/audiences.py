"""Decides whether a viewer may see an earlier answer, whose articles may have changed their audience since."""

from __future__ import annotations

from collections.abc import Iterable

from indexes.types import Audience, Viewer
from qa.corpus import Corpus


def may_see(viewer: Viewer, then: Iterable[Audience], article_ids: Iterable[str], whole: Corpus) -> bool:
    """Whether the viewer may read every article both then and now.

    `then`: the articles' audiences when the answer was given; `whole`: the unfiltered corpus with those of today.
    """
    now = (whole.articles.audience_of(id) for id in article_ids)
    return all(viewer.may_read(audience) for audience in (*then, *now))
