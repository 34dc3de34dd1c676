"""Who holds a key, and what may be done with it? One SQLite file, WAL, with numbered migrations.

A key is `fn_<id>_<secret>`: the id finds it, the secret proves it. Of the secret only its SHA-256 is stored. A slow
hash protects what people choose and others can guess; nobody guesses 256 random bits (NIST SP 800-63B, 5.1.2.2: secrets
of 112 bits or more need no salt and no key derivation function). Nothing is cached: every request reads the file anew,
so that a key revoked by another process is refused by the next request.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeAlias

from qa.journal.migrations import migrate
from web.errors import BadKey, KeysUnavailable, UnknownKey

Scope: TypeAlias = Literal["ask", "read", "feedback", "admin"]
KeyState: TypeAlias = Literal["usable", "expired", "revoked"]
Clock: TypeAlias = Callable[[], datetime]

EVERY_GROUP = "*"  # as a group of a key: its holder may read every article
KEY_START = "fn_"  # by which people, and scanners for secrets, tell what it is

_SHAPE = re.compile(rf"{KEY_START}([0-9a-f]{{12}})_([0-9a-f]{{64}})", re.ASCII)  # an id of 48 bits, a secret of 256
_NOBODY = bytes(32)  # the hash of no secret: a key with an unknown id is compared like any other
_SESSION = timedelta(days=7)
_WAIT = 1.0  # seconds for another writer of the file
_USED = timedelta(minutes=1)  # how exactly it is known when a key was last used

# Only ever append: a file's `user_version` says how many have been applied.
_MIGRATIONS = (
    """
    CREATE TABLE keys (
      id TEXT PRIMARY KEY, hash BLOB NOT NULL, name TEXT NOT NULL, scopes TEXT NOT NULL, groups TEXT NOT NULL,
      created TEXT NOT NULL, expires TEXT, revoked TEXT, used TEXT) WITHOUT ROWID;
    CREATE TABLE sessions (
      hash BLOB PRIMARY KEY, key_id TEXT NOT NULL REFERENCES keys ON DELETE CASCADE, created TEXT NOT NULL,
      expires TEXT NOT NULL) WITHOUT ROWID;
    """,
)
_COLUMNS = "k.id, k.name, k.scopes, k.groups, k.created, k.expires, k.revoked, k.used"


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of a key, without its secret. `used` is right to a minute."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    groups: tuple[str, ...]
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None
    used: datetime | None = None

    def state(self, now: datetime) -> KeyState:
        if self.revoked:
            return "revoked"
        return "expired" if self.expires and self.expires <= now else "usable"

    def use_is_old(self, now: datetime) -> bool:
        """Whether it is time to write down that the key is being used."""
        return self.used is None or now - self.used >= _USED


def _now() -> datetime:
    return datetime.now(UTC)


class KeyStore:
    """Keys, and the sessions of browsers that signed in with one. Safe to call from many threads.

    Reading waits for no writer. Every method raises KeysUnavailable when the file cannot be read or written.
    """

    def __init__(self, path: Path, now: Clock = _now) -> None:
        self._path = path
        self._now = now
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # nobody else's to read
            self._db = self._open()
            with closing(self._open()) as db:
                db.execute("PRAGMA journal_mode = WAL")
                migrate(db, _MIGRATIONS)
        except (OSError, sqlite3.Error) as error:
            raise self._unavailable(error) from error

    # Keys

    def create(
        self, name: str, scopes: Sequence[Scope], groups: Sequence[str] = (), lasting: timedelta | None = None
    ) -> tuple[Key, str]:
        """A new key and, this once, what its holder presents. Without `lasting` it never expires."""
        secret, now = secrets.token_hex(32), self._now()
        expires = now + lasting if lasting else None
        key = Key(secrets.token_hex(6), name, tuple(dict.fromkeys(scopes)), tuple(dict.fromkeys(groups)), now, expires)
        row = (
            key.id,
            _hash(secret),
            name,
            json.dumps(key.scopes),
            json.dumps(key.groups),
            _moment(now),
            _moment(expires) if expires else None,
        )
        with self._writing() as db:
            db.execute(
                "INSERT INTO keys (id, hash, name, scopes, groups, created, expires) VALUES (?, ?, ?, ?, ?, ?, ?)", row
            )
        return key, f"{KEY_START}{key.id}_{secret}"

    def all(self) -> tuple[Key, ...]:
        """Every key that was ever made, oldest first."""
        return tuple(_key(row) for row in self._rows(f"SELECT {_COLUMNS} FROM keys k ORDER BY created, id"))

    def any_usable(self) -> bool:
        now = self._now()
        return any(key.state(now) == "usable" for key in self.all())

    def revoke(self, id: str) -> None:
        """From now on the key and its sessions are refused; said again, nothing changes. Raises UnknownKey."""
        with self._writing() as db:
            moment = _moment(self._now())
            found = db.execute("UPDATE keys SET revoked = coalesce(revoked, ?) WHERE id = ?", (moment, id))
            if not found.rowcount:
                raise UnknownKey(f"There is no key {id!r}: `footnote keys list` shows the ids of all keys.")
            db.execute("DELETE FROM sessions WHERE key_id = ?", (id,))

    def of(self, presented: str) -> Key:
        """The key that `presented` proves. Raises BadKey."""
        shape = _SHAPE.fullmatch(presented)
        id, secret = shape.groups() if shape else ("", "")
        rows = self._rows(f"SELECT {_COLUMNS}, k.hash FROM keys k WHERE id = ?", id)
        stored = rows[0][-1] if rows else _NOBODY
        if not hmac.compare_digest(_hash(secret), stored):
            raise BadKey("This is no API key of this server.")
        return self._usable(_key(rows[0][:-1]))

    def note_use(self, key: Key) -> None:
        """The key is being used."""
        with self._writing() as db:
            db.execute("UPDATE keys SET used = ? WHERE id = ?", (_moment(self._now()), key.id))

    # Sessions: a browser holds an opaque token in place of the key

    def sign_in(self, presented: str) -> tuple[str, timedelta]:
        """The token of a new session of a key's holder, and how long it lasts. Raises BadKey."""
        key, token, now = self.of(presented), secrets.token_urlsafe(32), self._now()
        expires = min(now + _SESSION, key.expires) if key.expires else now + _SESSION
        with self._writing() as db:
            db.execute("DELETE FROM sessions WHERE expires <= ?", (_moment(now),))
            db.execute(
                "INSERT INTO sessions VALUES (?, ?, ?, ?)", (_hash(token), key.id, _moment(now), _moment(expires))
            )
        return token, expires - now

    def of_session(self, token: str) -> Key:
        """The key whose holder signed in. Raises BadKey when the session is over."""
        rows = self._rows(
            f"SELECT {_COLUMNS}, s.expires FROM sessions s JOIN keys k ON k.id = s.key_id WHERE s.hash = ?",
            _hash(token),
        )
        if not rows or datetime.fromisoformat(rows[0][-1]) <= self._now():
            raise BadKey("You are not signed in any more.")
        return self._usable(_key(rows[0][:-1]))

    def sign_out(self, token: str) -> None:
        """End a session; one that is over stays over."""
        with self._writing() as db:
            db.execute("DELETE FROM sessions WHERE hash = ?", (_hash(token),))

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _usable(self, key: Key) -> Key:
        state = key.state(self._now())
        if state != "usable":
            has = "has expired" if state == "expired" else "was revoked"
            raise BadKey(f"This API key {has}: whoever keeps the knowledge base can make a new one.")
        return key

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


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def _key(row: Sequence[Any]) -> Key:
    id, name, scopes, groups, created, *others = row
    moments = [datetime.fromisoformat(moment) if moment else None for moment in others]
    return Key(
        id, name, tuple(json.loads(scopes)), tuple(json.loads(groups)), datetime.fromisoformat(created), *moments
    )
