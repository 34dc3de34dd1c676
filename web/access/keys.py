"""API keys, and the sessions of browsers that signed in with one.

A key is `fn_<id>_<secret>`: the id finds it, the secret proves it. Of the secret only its SHA-256 is stored. A slow
hash protects what people choose and others can guess; nobody guesses 256 random bits (NIST SP 800-63B, 5.1.2.2: secrets
of 112 bits or more need no salt and no key derivation function).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol, TypeAlias

from web.errors import BadKey, UnknownKey

Scope: TypeAlias = Literal["ask", "read", "feedback", "admin"]
KeyState: TypeAlias = Literal["usable", "expired", "revoked"]
Clock: TypeAlias = Callable[[], datetime]

EVERY_GROUP = "*"  # as a group of a key: its holder may read every article
KEY_START = "fn_"  # by which people, and scanners for secrets, tell what it is

_SHAPE = re.compile(rf"{KEY_START}([0-9a-f]{{12}})_([0-9a-f]{{64}})", re.ASCII)  # an id of 48 bits, a secret of 256
_NO_HASH = bytes(32)  # the hash of no secret: a key with an unknown id is compared like any other
_SESSION = timedelta(days=7)
_USED = timedelta(minutes=1)  # how exactly it is known when a key was last used


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


@dataclass(frozen=True, slots=True)
class Session:
    """A browser's session. `hash`: of the token that the browser holds in place of the key."""

    hash: bytes
    key_id: str
    created: datetime
    expires: datetime


class KeyStore(Protocol):
    """Stores keys and sessions. Every method raises KeysUnavailable.

    Nothing is cached: a key that another process has revoked is found revoked.
    """

    def add(self, key: Key, hash: bytes) -> None:
        """Store a new key, with the hash of its secret."""

    def all(self) -> tuple[Key, ...]:
        """Every key that was ever made, oldest first."""

    def key_and_hash(self, id: str) -> tuple[Key, bytes] | None:
        """A key and the hash of its secret; None where there is none with this id."""

    def revoke(self, id: str, moment: datetime) -> bool:
        """Mark a key as revoked since `moment`, or since it already was, and end its sessions; False: there is none."""

    def note_use(self, id: str, moment: datetime) -> None: ...

    def add_session(self, session: Session) -> None:
        """Store a new session; those that were over when it began are deleted."""

    def session_key(self, hash: bytes, moment: datetime) -> Key | None:
        """The key of a session; None where there is none, or it is over at `moment`."""

    def end_session(self, hash: bytes) -> None: ...

    def close(self) -> None: ...


def _now() -> datetime:
    return datetime.now(UTC)


class Keys:
    """Makes, revokes and checks keys and sessions. Safe to call from many threads.

    Every method raises KeysUnavailable when the store cannot be read or written.
    """

    def __init__(self, store: KeyStore, now: Clock = _now) -> None:
        self._store = store
        self._now = now

    # Keys

    def create(
        self, name: str, scopes: Sequence[Scope], groups: Sequence[str] = (), lasting: timedelta | None = None
    ) -> tuple[Key, str]:
        """A new key and, this once, what its holder presents. Without `lasting` it never expires."""
        secret, now = secrets.token_hex(32), self._now()
        expires = now + lasting if lasting else None
        key = Key(secrets.token_hex(6), name, tuple(dict.fromkeys(scopes)), tuple(dict.fromkeys(groups)), now, expires)
        self._store.add(key, _hash(secret))
        return key, f"{KEY_START}{key.id}_{secret}"

    def all(self) -> tuple[Key, ...]:
        """Every key that was ever made, oldest first."""
        return self._store.all()

    def any_usable(self) -> bool:
        now = self._now()
        return any(key.state(now) == "usable" for key in self.all())

    def revoke(self, id: str) -> None:
        """From now on the key and its sessions are refused; said again, nothing changes. Raises UnknownKey."""
        if not self._store.revoke(id, self._now()):
            raise UnknownKey(f"There is no key {id!r}: `footnote keys list` shows the ids of all keys.")

    def of(self, presented: str) -> Key:
        """The key that `presented` proves. Raises BadKey."""
        shape = _SHAPE.fullmatch(presented)
        id, secret = shape.groups() if shape else ("", "")
        stored = self._store.key_and_hash(id)
        matches = hmac.compare_digest(_hash(secret), stored[1] if stored else _NO_HASH)
        if not (stored and matches):
            raise BadKey("This is no API key of this server.")
        return self._usable(stored[0])

    def note_use(self, key: Key) -> None:
        """The key is being used."""
        self._store.note_use(key.id, self._now())

    # Sessions: a browser holds an opaque token in place of the key

    def sign_in(self, presented: str) -> tuple[str, timedelta]:
        """The token of a new session of a key's holder, and how long it lasts. Raises BadKey."""
        key, token, now = self.of(presented), secrets.token_urlsafe(32), self._now()
        expires = min(now + _SESSION, key.expires) if key.expires else now + _SESSION
        self._store.add_session(Session(_hash(token), key.id, now, expires))
        return token, expires - now

    def of_session(self, token: str) -> Key:
        """The key whose holder signed in. Raises BadKey when the session is over."""
        key = self._store.session_key(_hash(token), self._now())
        if key is None:
            raise BadKey("You are not signed in any more.")
        return self._usable(key)

    def sign_out(self, token: str) -> None:
        """End a session; one that is over stays over."""
        self._store.end_session(_hash(token))

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def _usable(self, key: Key) -> Key:
        state = key.state(self._now())
        if state != "usable":
            has = "has expired" if state == "expired" else "was revoked"
            raise BadKey(f"This API key {has}: whoever keeps the knowledge base can make a new one.")
        return key


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
