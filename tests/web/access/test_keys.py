"""API keys and sessions: what is stored, what is refused, and how soon a revoked key is."""

from __future__ import annotations

import os
import re
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from qa.errors import NewerFile
from tests.conftest import ROOT
from web.access.keys import Key, Keys
from web.access.sqlite_keys import SqliteKeyStore
from web.errors import BadKey, KeysUnavailable, UnknownKey

DAY = timedelta(days=1)


@dataclass
class Clock:
    now: datetime = datetime(2026, 3, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "own" / "keys.sqlite"


@pytest.fixture
def keys(path: Path, clock: Clock) -> Iterator[Keys]:
    keys = Keys(SqliteKeyStore(path), clock)
    yield keys
    keys.close()


def test_a_key_proves_who_holds_it_and_what_they_may_do(keys: Keys) -> None:
    made, presented = keys.create("build robot", ("ask", "read"), ("payments",), 90 * DAY)
    assert re.fullmatch(r"fn_[0-9a-f]{12}_[0-9a-f]{64}", presented)
    assert keys.of(presented) == made
    assert (made.name, made.scopes, made.groups) == ("build robot", ("ask", "read"), ("payments",))


def test_no_two_keys_are_alike(keys: Keys) -> None:
    assert len({keys.create("x", ("ask",))[1][16:] for _ in range(50)}) == 50


@pytest.mark.parametrize(
    "spoil",
    [
        lambda key: key[:-1] + ("0" if key[-1] != "0" else "1"),  # one digit of the secret
        lambda key: f"fn_{'0' * 12}_{key[16:]}",  # the secret of another id
        lambda key: key[:16] + "0" * 64,
        lambda key: key.upper(),
        lambda key: f"{key} ",
        lambda key: key[:-1],
        lambda key: key[3:],
        lambda key: f"{key[:16]}{'٠' * 64}",  # digits, but of another alphabet
        lambda key: "",
        lambda key: "fn_' OR 1=1 --_x",
    ],
)
def test_what_is_no_key_is_refused(keys: Keys, spoil: object) -> None:
    _, presented = keys.create("x", ("ask",))
    assert callable(spoil)
    with pytest.raises(BadKey, match="no API key of this server"):
        keys.of(spoil(presented))


def test_neither_a_key_nor_a_session_can_be_read_from_the_file(keys: Keys, path: Path) -> None:
    _, presented = keys.create("x", ("ask",))
    token, _ = keys.sign_in(presented)
    stored = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert presented[16:].encode() not in stored
    assert bytes.fromhex(presented[16:]) not in stored
    assert token.encode() not in stored
    assert b"ask" in stored  # the file was read


@pytest.mark.skipif(os.name != "posix", reason="needs permissions of POSIX")
def test_the_file_is_nobody_elses_to_read(keys: Keys, path: Path) -> None:
    assert keys.all() == ()  # opens the log
    assert [stat.S_IMODE(file.stat().st_mode) for file in path.parent.glob("*")] == [0o600] * 3  # the log's too


def test_a_key_expires(keys: Keys, clock: Clock) -> None:
    _, presented = keys.create("x", ("ask",), lasting=DAY)
    _, forever = keys.create("y", ("ask",))
    clock.now += DAY - timedelta(seconds=1)
    assert keys.of(presented)
    clock.now += timedelta(seconds=1)
    with pytest.raises(BadKey, match="has expired"):
        keys.of(presented)
    clock.now += 10_000 * DAY
    assert keys.of(forever)


def test_a_key_revoked_by_another_process_is_refused_at_once(keys: Keys, path: Path) -> None:
    key, presented = keys.create("x", ("ask",))
    token, _ = keys.sign_in(presented)
    assert keys.of(presented) == keys.of_session(token) == key
    other = Keys(SqliteKeyStore(path))
    other.revoke(key.id)
    other.close()
    with pytest.raises(BadKey, match="was revoked"):
        keys.of(presented)
    with pytest.raises(BadKey, match="not signed in any more"):
        keys.of_session(token)


def test_a_key_can_be_revoked_again_but_not_one_that_was_never_made(keys: Keys, clock: Clock) -> None:
    key, _ = keys.create("x", ("ask",))
    keys.revoke(key.id)
    first = keys.all()[0].revoked
    clock.now += DAY
    keys.revoke(key.id)
    assert keys.all()[0].revoked == first
    with pytest.raises(UnknownKey, match="keys list"):
        keys.revoke("nonesuch")


def test_whether_any_key_lets_anybody_in(keys: Keys, clock: Clock) -> None:
    assert not keys.any_usable()
    key, _ = keys.create("x", ("ask",), lasting=DAY)
    assert keys.any_usable()
    clock.now += DAY
    assert not keys.any_usable()
    key, _ = keys.create("y", ("ask",))
    keys.revoke(key.id)
    assert not keys.any_usable()


def test_the_last_use_is_written_down_once_a_minute(keys: Keys, clock: Clock) -> None:
    key, presented = keys.create("x", ("ask",))
    assert key.use_is_old(clock.now)
    keys.note_use(key)
    used: Key = keys.of(presented)
    assert used.used == clock.now
    assert not used.use_is_old(clock.now + timedelta(seconds=59))
    assert used.use_is_old(clock.now + timedelta(seconds=60))


def test_a_session_ends_with_its_time_its_key_or_its_holders_wish(keys: Keys, clock: Clock) -> None:
    key, presented = keys.create("x", ("ask",), lasting=30 * DAY)
    token, lasts = keys.sign_in(presented)
    assert lasts == 7 * DAY
    left, _ = keys.sign_in(presented)
    keys.sign_out(left)
    clock.now += 7 * DAY - timedelta(seconds=1)
    assert keys.of_session(token) == key
    for over in (left, "nonesuch", "", "é"):
        with pytest.raises(BadKey, match="not signed in"):
            keys.of_session(over)
    clock.now += timedelta(seconds=1)
    with pytest.raises(BadKey, match="not signed in"):
        keys.of_session(token)


def test_a_session_does_not_outlive_its_key(keys: Keys, clock: Clock) -> None:
    _, presented = keys.create("x", ("ask",), lasting=DAY)
    _, lasts = keys.sign_in(presented)
    assert lasts == DAY
    clock.now += DAY
    with pytest.raises(BadKey, match="has expired"):
        keys.sign_in(presented)


def test_sessions_that_are_over_leave_the_file(keys: Keys, path: Path, clock: Clock) -> None:
    _, presented = keys.create("x", ("ask",))
    for _ in range(3):
        keys.sign_in(presented)
        clock.now += 8 * DAY
    db = sqlite3.connect(path)
    assert db.execute("SELECT count(*) FROM sessions").fetchone() == (1,)
    db.close()


def test_keys_survive_a_restart(keys: Keys, path: Path, clock: Clock) -> None:
    key, presented = keys.create("x", ("admin",), ("*",))
    keys.close()
    reopened = Keys(SqliteKeyStore(path), clock)
    assert reopened.of(presented) == key
    reopened.close()


def test_a_file_that_cannot_be_used_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "keys.sqlite").write_text("this is no database, and longer than a header of one " * 10)
    with pytest.raises(KeysUnavailable, match="FOOTNOTE_KEYS"):
        Keys(SqliteKeyStore(tmp_path / "keys.sqlite"))


FIRST = """
CREATE TABLE keys (
  id TEXT PRIMARY KEY, hash BLOB NOT NULL, name TEXT NOT NULL, scopes TEXT NOT NULL, groups TEXT NOT NULL,
  created TEXT NOT NULL, expires TEXT, revoked TEXT, used TEXT) WITHOUT ROWID;
CREATE TABLE sessions (
  hash BLOB PRIMARY KEY, key_id TEXT NOT NULL REFERENCES keys ON DELETE CASCADE, created TEXT NOT NULL,
  expires TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO keys VALUES ('0123456789ab', x'00', 'robot', '["ask"]', '["payments"]', '2026-02-01T10:00:00.000+00:00',
  NULL, NULL, NULL);
PRAGMA user_version = 1;
"""


def test_a_file_from_before_alembic_is_taken_over_with_its_keys(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "keys.sqlite")) as db:
        db.executescript(FIRST)
    keys = Keys(SqliteKeyStore(tmp_path / "keys.sqlite"))
    assert [(key.name, key.scopes, key.groups) for key in keys.all()] == [("robot", ("ask",), ("payments",))]
    assert keys.of(keys.create("y", ("read",))[1]).name == "y"
    keys.close()


@pytest.mark.parametrize(
    "made", ["CREATE TABLE alembic_version AS SELECT '0002' version_num", "PRAGMA user_version = 2"]
)
def test_a_file_of_a_newer_version_is_refused_with_what_to_do(tmp_path: Path, made: str) -> None:
    with closing(sqlite3.connect(tmp_path / "keys.sqlite")) as db:
        db.executescript(f"{FIRST}; {made}")
    with pytest.raises(NewerFile, match=r"keys\.sqlite was written by a newer version of Footnote"):
        SqliteKeyStore(tmp_path / "keys.sqlite")


def test_processes_that_make_keys_in_a_new_file_at_once_lose_none(path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from web.access.keys import Keys\n"
        "from web.access.sqlite_keys import SqliteKeyStore\n"
        "keys = Keys(SqliteKeyStore(Path(sys.argv[1]))); keys.create('x', ('ask',)); keys.close()"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code, str(path)], cwd=ROOT) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    keys = Keys(SqliteKeyStore(path))
    assert len(keys.all()) == 2
    keys.close()
