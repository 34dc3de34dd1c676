"""Keys and sessions in one SQLite file. Every request reads it anew: nothing is cached."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from qa.journal.sqlite.migrating import migrate
from web.access.keys import Key, Session
from web.errors import KeysUnavailable

_VERSIONS = Path(__file__).parent / "key_versions"
_WAIT = 1.0  # seconds for another writer of the file
_COLUMNS = "k.id, k.name, k.scopes, k.groups, k.created, k.expires, k.revoked, k.used"


class SqliteKeyStore:
    """A `KeyStore`. Safe to call from many threads. Reading waits for no writer."""

    def __init__(self, path: Path) -> None:
        """Raises KeysUnavailable, NewerFile."""
        self._path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # nobody else's to read
            self._db = self._open()
            with closing(self._open()) as db:
                db.execute("PRAGMA journal_mode = WAL")
            migrate(path, _VERSIONS)
        except (OSError, sqlite3.Error) as error:
            raise self._unavailable(error) from error

    def add(self, key: Key, hash: bytes) -> None:
        row = (
            key.id,
            hash,
            key.name,
            json.dumps(key.scopes),
            json.dumps(key.groups),
            _timestamp(key.created),
            _timestamp(key.expires) if key.expires else None,
        )
        with self._writing() as db:
            db.execute(
                "INSERT INTO keys (id, hash, name, scopes, groups, created, expires) VALUES (?, ?, ?, ?, ?, ?, ?)", row
            )

    def all(self) -> tuple[Key, ...]:
        return tuple(_key(row) for row in self._rows(f"SELECT {_COLUMNS} FROM keys k ORDER BY created, id"))

    def key_and_hash(self, id: str) -> tuple[Key, bytes] | None:
        for *columns, hash in self._rows(f"SELECT {_COLUMNS}, k.hash FROM keys k WHERE id = ?", id):
            return _key(columns), hash
        return None

    def revoke(self, id: str, moment: datetime) -> bool:
        with self._writing() as db:
            query = "UPDATE keys SET revoked = coalesce(revoked, ?) WHERE id = ?"
            revoked = db.execute(query, (_timestamp(moment), id)).rowcount
            db.execute("DELETE FROM sessions WHERE key_id = ?", (id,))
        return bool(revoked)

    def note_use(self, id: str, moment: datetime) -> None:
        with self._writing() as db:
            db.execute("UPDATE keys SET used = ? WHERE id = ?", (_timestamp(moment), id))

    def add_session(self, session: Session) -> None:
        created, expires = _timestamp(session.created), _timestamp(session.expires)
        with self._writing() as db:
            db.execute("DELETE FROM sessions WHERE expires <= ?", (created,))
            db.execute("INSERT INTO sessions VALUES (?, ?, ?, ?)", (session.hash, session.key_id, created, expires))

    def session_key(self, hash: bytes, moment: datetime) -> Key | None:
        query = f"SELECT {_COLUMNS} FROM sessions s JOIN keys k ON k.id = s.key_id WHERE s.hash = ? AND s.expires > ?"
        for row in self._rows(query, hash, _timestamp(moment)):
            return _key(row)
        return None

    def end_session(self, hash: bytes) -> None:
        with self._writing() as db:
            db.execute("DELETE FROM sessions WHERE hash = ?", (hash,))

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _rows(self, query: str, *values: object) -> list[Any]:
        with self._lock:
            try:
                return self._db.execute(query, values).fetchall()
            except sqlite3.Error as error:
                raise self._unavailable(error) from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own: whoever waits here for another process keeps no reader waiting."""
        try:
            with closing(self._open()) as db, db:
                yield db
        except sqlite3.Error as error:
            raise self._unavailable(error) from error

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, check_same_thread=False, timeout=_WAIT)
        for pragma in ("foreign_keys = ON", "secure_delete = ON"):
            db.execute(f"PRAGMA {pragma}")
        return db

    def _unavailable(self, error: Exception) -> KeysUnavailable:
        return KeysUnavailable(
            f"The API keys in {self._path} cannot be used ({error}): check the free space and the permissions, or "
            "choose another file with FOOTNOTE_KEYS."
        )


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def _key(row: Sequence[Any]) -> Key:
    id, name, scopes, groups, created, *others = row
    moments = [datetime.fromisoformat(moment) if moment else None for moment in others]
    return Key(
        id, name, tuple(json.loads(scopes)), tuple(json.loads(groups)), datetime.fromisoformat(created), *moments
    )
