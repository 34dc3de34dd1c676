"""Opens the journal's file and hands out its stores."""

from __future__ import annotations

from pathlib import Path

from qa.journal.sqlite.answers import SqliteAnswers
from qa.journal.sqlite.file import JournalFile
from qa.journal.sqlite.views import SqliteViews


class SqliteJournal:
    """Answers and views in one file. Raises JournalUnavailable, NewerFile."""

    def __init__(self, path: Path) -> None:
        self._file = JournalFile(path)
        self.answers = SqliteAnswers(self._file)
        self.views = SqliteViews(self._file)

    @property
    def failures(self) -> int:
        """How often the file could not be used."""
        return self._file.failures

    def close(self) -> None:
        self._file.close()
