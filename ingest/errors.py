"""Errors raised by `ingest`.

IngestError
├── SourceMissing     a source named on the command line does not exist
├── NothingToIngest   no source has an article that could be read
└── ArticleRejected   one article cannot be used; the ingest continues and reports the reason
    └── AudienceUnclear   nor may its last version be served: its audience may have become narrower

Every message says what happened and what to do next.
"""

from collections.abc import Sequence

from indexes.errors import FootnoteError


class IngestError(FootnoteError):
    """Base of every error this package raises on purpose."""


class SourceMissing(IngestError):
    pass


class NothingToIngest(IngestError):
    pass


class ArticleRejected(IngestError):
    pass


class AudienceUnclear(ArticleRejected):
    pass


def without_text(reason: str, audience: Sequence[str]) -> ArticleRejected:
    """The rejection of an article without text; with an audience, its last version may have been for others."""
    return AudienceUnclear(reason) if audience else ArticleRejected(reason)
