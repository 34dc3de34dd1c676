"""Errors raised by `indexes`, and the root of every error that Footnote raises on purpose.

FootnoteError
└── IndexesError
    ├── SnapshotMissing       there is no published snapshot in this folder
    ├── SnapshotDamaged       a file is missing, cut or altered
    ├── SnapshotIncompatible  an older format or another embedding model made it
    │   └── SnapshotTooNew    a newer Footnote made it
    ├── SnapshotNotWritten    the disk is full or failing; the index is as it was
    ├── IndexBusy             another process is writing this index
    └── ModelUnavailable      the embedding model cannot be found, verified or loaded
        └── ModelDamaged      a file of its export is missing, cut or altered

Every message says what happened and what to do next.
"""


class FootnoteError(Exception):
    """Bad input or a fault outside this program: the message is for the user, a stack trace is not."""


class IndexesError(FootnoteError):
    """Base of every error this package raises on purpose."""


class SnapshotMissing(IndexesError):
    pass


class SnapshotDamaged(IndexesError):
    pass


class SnapshotIncompatible(IndexesError):
    pass


class SnapshotTooNew(SnapshotIncompatible):
    pass


class SnapshotNotWritten(IndexesError):
    pass


class IndexBusy(IndexesError):
    pass


class ModelUnavailable(IndexesError):
    pass


class ModelDamaged(ModelUnavailable):
    pass
