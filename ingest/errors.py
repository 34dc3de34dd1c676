"""Errors raised by `ingest`.

IngestError
├── SourceMissing     a source named on the command line is not there
├── NothingToIngest   no source holds an article that could be read
└── ArticleRejected   one article cannot be used; the ingest goes on and reports the reason
    └── AudienceUnclear   nor may its last version be served: it may not be for everyone any more

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
    """Why an article that says whom it is for holds no text: its last version may have been for others."""
    return AudienceUnclear(reason) if audience else ArticleRejected(reason)
