"""What was asked, answered and thought of it: one SQLite file, WAL, with numbered migrations.

An answer is kept whole, so that its permalink shows the footnotes it had. What is deleted, or older than the retention
allows, is gone from the file and from its write-ahead log.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from indexes.types import Filter
from qa.errors import JournalUnavailable, UnknownAnswer, UnknownConversation
from qa.journal.migrations import migrate
from qa.journal.records import (
    ANSWER_COLUMNS,
    QUESTION_COLUMNS,
    AnswerRecord,
    Feedback,
    QuestionRecord,
    answer_record,
    article_rows,
    document_of,
    kind_of,
    question_record,
)
from qa.types import Answer

log = logging.getLogger(__name__)

_LONG_LOG = 10_000  # pages, 40 MB: from here on an answer settles it after all
_WAIT = 0.25  # seconds for another writer of the file; an answer is worth more than its record

# Only ever append: a file's `user_version` says how many have been applied.
_MIGRATIONS = (
    """
    CREATE TABLE answers (
      answer_id TEXT PRIMARY KEY, conversation_id TEXT NOT NULL, position INTEGER NOT NULL, asked TEXT NOT NULL,
      question TEXT NOT NULL, standalone TEXT NOT NULL, text TEXT NOT NULL, answered INTEGER NOT NULL,
      confidence REAL NOT NULL, generation TEXT NOT NULL, took_ms REAL NOT NULL,
      UNIQUE (conversation_id, position));
    """,
    """
    ALTER TABLE answers ADD COLUMN kind TEXT NOT NULL DEFAULT 'answer';
    ALTER TABLE answers ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE answers ADD COLUMN tag_mode TEXT NOT NULL DEFAULT 'any';
    ALTER TABLE answers ADD COLUMN document TEXT NOT NULL DEFAULT '{}';
    UPDATE answers SET kind = 'refusal' WHERE answered = 0;
    CREATE INDEX answers_asked ON answers (asked);
    CREATE TABLE articles (
      answer_id TEXT NOT NULL REFERENCES answers ON DELETE CASCADE, place INTEGER NOT NULL, article_id TEXT NOT NULL,
      cited INTEGER NOT NULL, PRIMARY KEY (answer_id, place)) WITHOUT ROWID;
    CREATE TABLE feedback (
      answer_id TEXT PRIMARY KEY REFERENCES answers ON DELETE CASCADE, given TEXT NOT NULL, helpful INTEGER NOT NULL,
      reason TEXT NOT NULL, comment TEXT NOT NULL);
    """,
    """
    CREATE TABLE salts (day TEXT PRIMARY KEY, salt BLOB NOT NULL);
    CREATE TABLE readers (day TEXT, act TEXT, mark BLOB, PRIMARY KEY (day, act, mark)) WITHOUT ROWID;
    CREATE TABLE figures (
      article_id TEXT NOT NULL, day TEXT NOT NULL, act TEXT NOT NULL, helpful INTEGER NOT NULL, count INTEGER NOT NULL,
      PRIMARY KEY (article_id, day, act, helpful)) WITHOUT ROWID;
    """,
    """
    ALTER TABLE answers ADD COLUMN owner TEXT NOT NULL DEFAULT '';
    """,
)


class Journal:
    """Keeps answers by conversation. One connection, one writer at a time; safe to call from many threads.

    A conversation belongs to its `owner`: for everybody else there is none. "" are all whom nobody knows: among them,
    whoever has its id, which nobody can guess, has the conversation.
    Every method raises JournalUnavailable when the file cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._settling = threading.Lock()
        self._unsettled = False  # whether anything was kept since the log was last settled
        self.failures = 0  # how often it could not be used
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, check_same_thread=False, timeout=_WAIT)
        except (OSError, sqlite3.Error) as error:
            raise self._unavailable(error) from error
        with self.using() as db:
            for pragma in (
                "journal_mode = WAL",
                "synchronous = NORMAL",
                "foreign_keys = ON",
                "secure_delete = ON",
                f"wal_autocheckpoint = {_LONG_LOG}",
            ):
                db.execute(f"PRAGMA {pragma}")
            migrate(db, _MIGRATIONS)

    # Answers

    def record(self, conversation_id: str, answer: Answer, filter: Filter = Filter(), owner: str = "") -> None:
        """Append an answer to its conversation."""
        with self.using() as db, db:
            db.execute(
                f"INSERT INTO answers SELECT ?, ?, coalesce(max(position) + 1, 0){', ?' * 13} FROM answers "
                "WHERE conversation_id = ?",
                (
                    answer.answer_id,
                    conversation_id,
                    _moment(datetime.now(UTC)),
                    answer.question,
                    answer.standalone_question,
                    answer.text,
                    answer.answered,
                    answer.confidence,
                    answer.generation,
                    answer.took_ms,
                    kind_of(answer),
                    json.dumps(filter.tags),
                    filter.mode,
                    document_of(answer),
                    owner,
                    conversation_id,
                ),
            )
            db.executemany("INSERT INTO articles VALUES (?, ?, ?, ?)", article_rows(answer))
        self._unsettled = True

    def conversation(self, conversation_id: str, owner: str = "") -> tuple[AnswerRecord, ...]:
        """The answers of a conversation, oldest first. Raises UnknownConversation."""
        kept = self._kept("conversation_id = ? AND owner = ? ORDER BY position", conversation_id, owner)
        if not kept:
            raise no_conversation()
        return kept

    def answer(self, answer_id: str) -> AnswerRecord:
        """One answer, whoever asked. Raises UnknownAnswer."""
        for kept in self._kept("answer_id = ?", answer_id):
            return kept
        raise no_answer()

    def give_feedback(self, answer_id: str, feedback: Feedback, owner: str = "") -> None:
        """Keep what the asker thought, in place of what they said before. Raises UnknownAnswer."""
        row = (answer_id, _moment(datetime.now(UTC)), feedback.helpful, feedback.reason, feedback.comment)
        with self.using() as db, db:
            if not db.execute("SELECT 1 FROM answers WHERE answer_id = ? AND owner = ?", (answer_id, owner)).fetchone():
                raise no_answer()
            db.execute("INSERT OR REPLACE INTO feedback VALUES (?, ?, ?, ?, ?)", row)

    # Statistics

    def asked_since(self, moment: datetime) -> tuple[QuestionRecord, ...]:
        """Every question asked at `moment` or later, oldest first."""
        with self.using() as db:
            rows = db.execute(
                f"SELECT {QUESTION_COLUMNS} FROM answers LEFT JOIN feedback USING (answer_id) WHERE asked >= ? "
                "ORDER BY asked",
                (_moment(moment),),
            ).fetchall()
            articles = db.execute(
                "SELECT answer_id, article_id, cited FROM articles JOIN answers USING (answer_id) WHERE asked >= ? "
                "ORDER BY answer_id, place",
                (_moment(moment),),
            ).fetchall()
        retrieved: dict[str, list[str]] = {}
        cited: dict[str, list[str]] = {}
        for answer_id, article_id, was_cited in articles:
            retrieved.setdefault(answer_id, []).append(article_id)
            if was_cited:
                cited.setdefault(answer_id, []).append(article_id)
        return tuple(question_record(row, retrieved.get(row[0], ()), cited.get(row[0], ())) for row in rows)

    # Deletion

    def delete(self, conversation_id: str, owner: str = "") -> None:
        """Delete a conversation, its answers and feedback, from the file itself. Raises UnknownConversation."""
        if not self._delete("conversation_id = ? AND owner = ?", conversation_id, owner):
            raise no_conversation()

    def purge(self, days: int) -> int:
        """Delete what was asked more than `days` days ago; returns how many answers that were."""
        return self._delete("asked < ?", _moment(datetime.now(UTC) - timedelta(days=days)))

    # The write-ahead log

    def settle(self) -> None:
        """Move what the log holds into the file, while answers are being kept.

        Done by one of those answers, as SQLite does by itself, it would make all of them wait for the disk.
        """
        if not self._unsettled:
            return
        self._unsettled = False
        place = f"{self._path.absolute().as_uri()}?mode=rw"
        try:
            with self._settling, closing(sqlite3.connect(place, uri=True, timeout=0)) as beside:
                beside.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.Error as error:
            raise self._unavailable(error) from error

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _delete(self, condition: str, *values: str) -> int:
        with self.using() as db:
            with db:
                deleted = db.execute(f"DELETE FROM answers WHERE {condition}", values).rowcount
            if deleted:
                # The log still holds the pages as they were: only a truncating checkpoint removes them.
                with self._settling:
                    (busy, *_) = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                if busy:
                    log.warning("%s is being read: deleted text leaves its log with the next deletion.", self._path)
        return deleted

    def _kept(self, condition: str, *values: str) -> tuple[AnswerRecord, ...]:
        with self.using() as db:
            rows = db.execute(
                f"SELECT {ANSWER_COLUMNS} FROM answers LEFT JOIN feedback USING (answer_id) WHERE {condition}", values
            ).fetchall()
        return tuple(answer_record(row) for row in rows)

    @contextmanager
    def using(self) -> Iterator[sqlite3.Connection]:
        """The connection, for one use at a time."""
        with self._lock:
            try:
                yield self._db
            except sqlite3.Error as error:
                raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> JournalUnavailable:
        self.failures += 1
        return JournalUnavailable(
            f"The conversations in {self._path} cannot be used ({error}): check the free space and the permissions, "
            "or choose another file with FOOTNOTE_JOURNAL."
        )


def no_conversation() -> UnknownConversation:
    return UnknownConversation("There is no conversation with this id: leave conversation_id out to start a new one.")


def no_answer() -> UnknownAnswer:
    return UnknownAnswer("There is no answer with this id: it was deleted, or never kept.")


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
