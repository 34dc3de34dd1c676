"""Answers and feedback in the journal's SQLite file.

An answer is stored whole, so that its permalink shows the footnotes it had. What is deleted, or older than the
retention allows, is gone from the file and from its write-ahead log.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from indexes.types import Filter
from qa.errors import UnknownAnswer, UnknownConversation
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
from qa.journal.sqlite.file import JournalFile
from qa.types import Answer


class SqliteAnswers:
    """An `AnswerStore` and a `QuestionLog`. Every method raises JournalUnavailable."""

    def __init__(self, file: JournalFile) -> None:
        self._file = file

    def record(self, conversation_id: str, answer: Answer, filter: Filter, owner: str) -> None:
        with self._file.writing() as db:
            db.execute(
                f"INSERT INTO answers SELECT ?, ?, coalesce(max(position) + 1, 0){', ?' * 13} FROM answers "
                "WHERE conversation_id = ?",
                (
                    answer.answer_id,
                    conversation_id,
                    _timestamp(datetime.now(UTC)),
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

    def conversation(self, conversation_id: str, owner: str) -> tuple[AnswerRecord, ...]:
        records = self._records("conversation_id = ? AND owner = ? ORDER BY position", conversation_id, owner)
        if not records:
            raise UnknownConversation
        return records

    def answer(self, answer_id: str) -> AnswerRecord:
        for record in self._records("answer_id = ?", answer_id):
            return record
        raise UnknownAnswer

    def give_feedback(self, answer_id: str, feedback: Feedback, owner: str) -> None:
        row = (answer_id, _timestamp(datetime.now(UTC)), feedback.helpful, feedback.reason, feedback.comment)
        with self._file.writing() as db:
            if not db.execute("SELECT 1 FROM answers WHERE answer_id = ? AND owner = ?", (answer_id, owner)).fetchone():
                raise UnknownAnswer
            db.execute("INSERT OR REPLACE INTO feedback VALUES (?, ?, ?, ?, ?)", row)

    def asked_since(self, moment: datetime) -> tuple[QuestionRecord, ...]:
        with self._file.reading() as db:
            rows = db.execute(
                f"SELECT {QUESTION_COLUMNS} FROM answers LEFT JOIN feedback USING (answer_id) WHERE asked >= ? "
                "ORDER BY asked",
                (_timestamp(moment),),
            ).fetchall()
            articles = db.execute(
                "SELECT answer_id, article_id, cited FROM articles JOIN answers USING (answer_id) WHERE asked >= ? "
                "ORDER BY answer_id, place",
                (_timestamp(moment),),
            ).fetchall()
        retrieved: dict[str, list[str]] = {}
        cited: dict[str, list[str]] = {}
        for answer_id, article_id, was_cited in articles:
            retrieved.setdefault(answer_id, []).append(article_id)
            if was_cited:
                cited.setdefault(answer_id, []).append(article_id)
        return tuple(question_record(row, retrieved.get(row[0], ()), cited.get(row[0], ())) for row in rows)

    def delete(self, conversation_id: str, owner: str) -> None:
        if not self._delete("conversation_id = ? AND owner = ?", conversation_id, owner):
            raise UnknownConversation

    def purge(self, days: int) -> int:
        return self._delete("asked < ?", _timestamp(datetime.now(UTC) - timedelta(days=days)))

    def settle(self) -> None:
        self._file.settle()

    def _delete(self, condition: str, *values: str) -> int:
        with self._file.writing() as db:
            deleted = db.execute(f"DELETE FROM answers WHERE {condition}", values).rowcount
        if deleted:
            self._file.empty_log()
        return deleted

    def _records(self, condition: str, *values: str) -> tuple[AnswerRecord, ...]:
        with self._file.reading() as db:
            rows = db.execute(
                f"SELECT {ANSWER_COLUMNS} FROM answers LEFT JOIN feedback USING (answer_id) WHERE {condition}", values
            ).fetchall()
        return tuple(answer_record(row) for row in rows)


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
