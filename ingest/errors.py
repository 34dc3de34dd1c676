"""Errors raised by `ingest`.

IngestError
├── SourceMissing     a source named on the command line is not there
├── NothingToIngest   no source holds an article that could be read
└── ArticleRejected   one article cannot be used; the ingest goes on and reports the reason

Every message says what happened and what to do next.
"""

from indexes.errors import FootnoteError


class IngestError(FootnoteError):
    """Base of every error this package raises on purpose."""


class SourceMissing(IngestError):
    pass


class NothingToIngest(IngestError):
    pass


class ArticleRejected(IngestError):
    pass
