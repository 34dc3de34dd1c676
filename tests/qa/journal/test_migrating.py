"""Files of every form are brought to the newest with what they hold, by several processes at once, killed or not."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from qa.errors import JournalUnavailable, NewerFile
from qa.journal.records import Feedback
from qa.journal.sqlite.form import form_of
from qa.journal.sqlite.journal import SqliteJournal
from tests.conftest import ROOT

# What the releases before Alembic have written, and an answer in each form. `user_version` says which form it is.
FIRST = """
CREATE TABLE answers (
  answer_id TEXT PRIMARY KEY, conversation_id TEXT NOT NULL, position INTEGER NOT NULL, asked TEXT NOT NULL,
  question TEXT NOT NULL, standalone TEXT NOT NULL, text TEXT NOT NULL, answered INTEGER NOT NULL,
  confidence REAL NOT NULL, generation TEXT NOT NULL, took_ms REAL NOT NULL,
  UNIQUE (conversation_id, position));
INSERT INTO answers VALUES ('a', 'c', 0, '2026-03-01T10:00:00.000+00:00', 'Why?', 'Why?',
  'The knowledge base does not say.', 0, 0.1, '000001', 12.5);
PRAGMA user_version = 1;
"""
SECOND = """
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
INSERT INTO articles VALUES ('a', 0, 'tokens', 0);
INSERT INTO feedback VALUES ('a', '2026-03-01T10:01:00.000+00:00', 0, 'missing', '');
PRAGMA user_version = 2;
"""
THIRD = """
CREATE TABLE salts (day TEXT PRIMARY KEY, salt BLOB NOT NULL);
CREATE TABLE readers (day TEXT, act TEXT, mark BLOB, PRIMARY KEY (day, act, mark)) WITHOUT ROWID;
CREATE TABLE figures (
  article_id TEXT NOT NULL, day TEXT NOT NULL, act TEXT NOT NULL, helpful INTEGER NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY (article_id, day, act, helpful)) WITHOUT ROWID;
INSERT INTO figures VALUES ('tokens', '2026-03-01', 'view', 1, 7);
PRAGMA user_version = 3;
"""
FOURTH = """
ALTER TABLE answers ADD COLUMN owner TEXT NOT NULL DEFAULT '';
PRAGMA user_version = 4;
"""
FORMS = (FIRST, SECOND, THIRD, FOURTH)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal 100%.sqlite"


def written(path: Path, *scripts: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        for script in scripts:
            db.executescript(script)


@contextmanager
def opened(path: Path) -> Iterator[SqliteJournal]:
    journal = SqliteJournal(path)
    yield journal
    journal.close()


def form(path: Path) -> str:
    with closing(sqlite3.connect(path)) as db:
        return form_of(db)


def tables(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Each table of the journal and its columns: name, type, whether it may be null, default, place in the key."""
    with closing(sqlite3.connect(path)) as db:
        query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name != 'alembic_version'"
        names = [name for (name,) in db.execute(query)]
        return {name: db.execute(f"SELECT * FROM pragma_table_info('{name}')").fetchall() for name in names}


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_journal_from_before_alembic_is_taken_over_with_what_it_holds(path: Path, number: int) -> None:
    written(path, *FORMS[:number])
    with opened(path) as journal:
        (record,) = journal.answers.conversation("c", "")
        (asked,) = journal.answers.asked_since(datetime(2020, 1, 1, tzinfo=UTC))
        assert (record.answer.question, record.answer.citations, record.owner) == ("Why?", (), "")
        assert record.feedback == (Feedback(False, "missing") if number > 1 else None)
        assert (asked.kind, asked.retrieved) == ("refusal", ("tokens",) if number > 1 else ())
        assert journal.views.views() == ({"tokens": 7} if number > 2 else {})
    assert form(path) == "0004"


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_journal_that_was_taken_over_is_like_a_new_one(path: Path, number: int, tmp_path: Path) -> None:
    written(path, *FORMS[:number])
    for file in (path, tmp_path / "new.sqlite"):
        with opened(file):
            pass
    assert tables(path) == tables(tmp_path / "new.sqlite")


def test_a_journal_of_today_is_opened_without_alembic(path: Path) -> None:
    with opened(path):
        pass
    code = (
        "import sys; from pathlib import Path; from qa.journal.sqlite.journal import SqliteJournal\n"
        "SqliteJournal(Path(sys.argv[1])).close(); print({'alembic', 'sqlalchemy'} & set(sys.modules))"
    )
    assert run(code, path).communicate()[0] == "set()\n"


@pytest.mark.parametrize("number", [0, 3])
def test_two_processes_that_open_a_journal_at_once_both_get_it_whole(path: Path, number: int) -> None:
    written(path, *FORMS[:number])
    code = (
        "import sys; from pathlib import Path; from qa.journal.sqlite.journal import SqliteJournal\n"
        "journal = SqliteJournal(Path(sys.argv[1])); print(len(journal.views.views())); journal.close()"
    )
    processes = [run(code, path) for _ in range(2)]
    assert [process.communicate()[0] for process in processes] == ["1\n" if number > 2 else "0\n"] * 2
    assert form(path) == "0004"


def test_a_process_killed_while_it_migrates_leaves_the_file_as_it_was(path: Path) -> None:
    written(path, FIRST)
    code = (
        "import os, signal, sys; from pathlib import Path; from alembic import op\n"
        "from qa.journal.sqlite.journal import SqliteJournal\n"
        "execute = op.execute\n"
        "def killed(statement):\n"
        "    execute(statement)\n"
        "    if 'figures' in statement: os.kill(os.getpid(), signal.SIGKILL)\n"
        "op.execute = killed\n"
        "SqliteJournal(Path(sys.argv[1]))"
    )
    process = run(code, path)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert form(path) == "0001"
    assert set(tables(path)) == {"answers"}
    with opened(path) as journal:
        assert journal.answers.conversation("c", "")


def test_a_revision_that_fails_takes_nothing_of_the_others(path: Path) -> None:
    written(path, FIRST, "CREATE TABLE salts (day TEXT);")  # as if somebody had been at the file by hand
    with pytest.raises(JournalUnavailable, match="salts already exists"):
        SqliteJournal(path)
    assert form(path) == "0001"
    assert set(tables(path)) == {"answers", "salts"}


@pytest.mark.parametrize("made", ["UPDATE alembic_version SET version_num = '0005'", "PRAGMA user_version = 5"])
def test_a_journal_of_a_newer_version_is_refused_with_what_to_do_and_left_alone(path: Path, made: str) -> None:
    if "alembic" in made:
        with opened(path):
            pass
    written(path, made)
    before = path.read_bytes()
    with pytest.raises(NewerFile, match=r"newer version of Footnote \(form 0005;.*start that version again"):
        SqliteJournal(path)
    assert path.read_bytes() == before


def run(code: str, path: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    command = [sys.executable, "-c", code, str(path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment)
