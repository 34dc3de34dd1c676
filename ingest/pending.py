"""Stores the vectors of an unpublished ingest, so that an interrupted one can continue where it stopped."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from indexes.types import FloatVector

_FILE = "pending.sqlite"


class PendingVectors:
    """A table digest → vector beside the snapshots. The caller holds the write lock."""

    def __init__(self, root: Path, embedder: str) -> None:
        self._path = root / _FILE
        try:
            self._db = self._open(embedder)
            self._vectors = self._read()
        except sqlite3.DatabaseError:  # damaged by a crash: the vectors are computed again
            discard_pending(root)
            self._db = self._open(embedder)
            self._vectors = {}

    def _open(self, embedder: str) -> sqlite3.Connection:
        database = sqlite3.connect(self._path)
        with database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS vectors (digest TEXT, embedder TEXT, vector BLOB NOT NULL, "
                "crc INTEGER NOT NULL, PRIMARY KEY (digest, embedder))"
            )
            database.execute("DELETE FROM vectors WHERE embedder != ?", (embedder,))
        self._embedder = embedder
        return database

    def load(self) -> Mapping[str, FloatVector]:
        """The vectors of the interrupted ingest; those altered since are left out."""
        return self._vectors

    def _read(self) -> dict[str, FloatVector]:
        rows = self._db.execute("SELECT digest, vector, crc FROM vectors")
        return {
            digest: np.frombuffer(vector, dtype=np.float32) for digest, vector, crc in rows if zlib.crc32(vector) == crc
        }

    def add(self, vectors: Iterable[tuple[str, FloatVector]]) -> None:
        with self._db:
            self._db.executemany(
                "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)",
                [(digest, self._embedder, raw := vector.tobytes(), zlib.crc32(raw)) for digest, vector in vectors],
            )

    def close(self) -> None:
        self._db.close()


def discard_pending(root: Path) -> None:
    """Removes the stored vectors, which have been published."""
    for name in (_FILE, f"{_FILE}-journal"):
        (root / name).unlink(missing_ok=True)
