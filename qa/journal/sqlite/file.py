"""The connection to the journal's file, and its write-ahead log."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from qa.errors import JournalUnavailable
from qa.journal.sqlite.migrating import migrate

log = logging.getLogger(__name__)

_VERSIONS = Path(__file__).parent / "versions"
_LONG_LOG = 10_000  # pages, 40 MB: from here on an answer settles the log after all
_WAIT = 0.25  # seconds for another writer of the file; an answer is worth more than its record
_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = NORMAL",
    "foreign_keys = ON",
    "secure_delete = ON",  # what is deleted is overwritten
    f"wal_autocheckpoint = {_LONG_LOG}",
)


class JournalFile:
    """One connection, used by one thread at a time. Every method raises JournalUnavailable."""

    def __init__(self, path: Path) -> None:
        """Raises NewerFile, too."""
        self._path = path
        self._lock = threading.Lock()
        self._settling = threading.Lock()
        self._unsettled = False  # whether anything was written since the log was last settled
        self.failures = 0  # how often it could not be used
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, check_same_thread=False, timeout=_WAIT)
            for pragma in _PRAGMAS:
                self._db.execute(f"PRAGMA {pragma}")
            migrate(path, _VERSIONS)
        except (OSError, sqlite3.Error) as error:
            raise self._unavailable(error) from error

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for one caller at a time."""
        with self._lock:
            try:
                yield self._db
            except sqlite3.Error as error:
                raise self._unavailable(error) from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The same, for one transaction."""
        with self.reading() as db, db:
            yield db
        self._unsettled = True

    def settle(self) -> None:
        """Move what the log holds into the file, while answers are being recorded.

        Done by one of those answers, as SQLite does by itself, it would make all of them wait for the disk.
        """
        if not self._unsettled:
            return
        self._unsettled = False
        uri = f"{self._path.absolute().as_uri()}?mode=rw"
        try:
            with self._settling, closing(sqlite3.connect(uri, uri=True, timeout=0)) as beside:
                beside.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.Error as error:
            raise self._unavailable(error) from error

    def empty_log(self) -> None:
        """Remove deleted text from the log: it holds the pages as they were until a truncating checkpoint."""
        with self.reading() as db, self._settling:
            (busy, *_) = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            log.warning("%s is being read: deleted text leaves its log with the next deletion.", self._path)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _unavailable(self, error: Exception) -> JournalUnavailable:
        self.failures += 1
        return JournalUnavailable(
            f"The conversations in {self._path} cannot be used ({error}): check the free space and the permissions, "
            "or choose another file with FOOTNOTE_JOURNAL."
        )
