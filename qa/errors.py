"""Errors raised by `qa`.

QaError
├── UnknownTag            a filter names a tag that no article carries
├── UnknownConversation   a conversation that was never held, or was deleted
├── UnknownAnswer         an answer that was never kept, or was deleted
├── JournalUnavailable    the file of conversations cannot be read or written
├── NewerFile             a file that a newer version of Footnote has written
├── CitingError           an answer whose marks and quotations do not hold: a defect, never shown
└── SetError              an evaluation set cannot be read

Every message says what happened and what to do next. That the KB does not answer a question is an `Answer`, no error.
"""

from collections.abc import Sequence

from indexes.errors import FootnoteError


class QaError(FootnoteError):
    """Base of every error this package raises on purpose."""


class UnknownTag(QaError):
    """`tag` is unknown; `near` are the tags it may have meant."""

    def __init__(self, tag: str, near: Sequence[str]) -> None:
        hint = f" Did you mean {', '.join(repr(name) for name in near)}?" if near else ""
        super().__init__(f"No article carries the tag {tag!r}.{hint} All tags: GET /api/v1/tags.")
        self.tag = tag
        self.near = tuple(near)


class UnknownConversation(QaError):
    def __init__(
        self, message: str = "There is no conversation with this id: leave conversation_id out to start a new one."
    ) -> None:
        super().__init__(message)


class UnknownAnswer(QaError):
    def __init__(self) -> None:
        super().__init__("There is no answer with this id: it was deleted, or never kept.")


class JournalUnavailable(QaError):
    pass


class NewerFile(QaError):
    pass


class CitingError(QaError):
    pass


class SetError(QaError):
    pass
