"""What was asked and answered: conversations in one SQLite file, WAL, with numbered migrations."""

from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, datetime
from pathlib import Path

from qa.errors import UnknownConversation
from qa.types import Answer, Turn

# Only ever append: a file's `user_version` says how many have been applied.
_MIGRATIONS = (
    """
    CREATE TABLE answers (
      answer_id TEXT PRIMARY KEY, conversation_id TEXT NOT NULL, position INTEGER NOT NULL, asked TEXT NOT NULL,
      question TEXT NOT NULL, standalone TEXT NOT NULL, text TEXT NOT NULL, answered INTEGER NOT NULL,
      confidence REAL NOT NULL, generation TEXT NOT NULL, took_ms REAL NOT NULL,
      UNIQUE (conversation_id, position));
    """,
)


class Journal:
    """Keeps answers by conversation. One connection, one writer at a time; safe to call from many threads."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._migrate()

    def record(self, conversation_id: str, answer: Answer) -> None:
        """Append an answer to its conversation."""
        with self._lock, self._db:
            self._db.execute(
                "INSERT INTO answers SELECT ?, ?, coalesce(max(position) + 1, 0), ?, ?, ?, ?, ?, ?, ?, ? "
                "FROM answers WHERE conversation_id = ?",
                (answer.answer_id, conversation_id, datetime.now(UTC).isoformat(timespec="milliseconds"),
                 answer.question, answer.standalone_question, answer.text, answer.answered, answer.confidence,
                 answer.generation, answer.took_ms, conversation_id),
            )  # fmt: skip

    def history(self, conversation_id: str) -> tuple[Turn, ...]:
        """The turns of a conversation, oldest first. Raises UnknownConversation."""
        with self._lock:
            rows = self._db.execute(
                "SELECT question, text FROM answers WHERE conversation_id = ? ORDER BY position", (conversation_id,)
            ).fetchall()
        if not rows:
            raise UnknownConversation(
                f"There is no conversation {conversation_id!r}: leave conversation_id out to start a new one."
            )
        return tuple(turn for question, text in rows for turn in (Turn("user", question), Turn("assistant", text)))

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _migrate(self) -> None:
        (applied,) = self._db.execute("PRAGMA user_version").fetchone()
        for number, script in enumerate(_MIGRATIONS[applied:], start=applied + 1):
            self._db.executescript(f"BEGIN; {script} PRAGMA user_version = {number}; COMMIT;")
