"""Vectors of an ingest that has not been published yet, so that a stopped ingest can go on where it was."""

from __future__ import annotations

import sqlite3
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
        except sqlite3.DatabaseError:  # torn by a crash: only work already paid for is lost
            self._path.unlink()
            self._db = self._open(embedder)

    def _open(self, embedder: str) -> sqlite3.Connection:
        database = sqlite3.connect(self._path)
        with database:
            database.execute("CREATE TABLE IF NOT EXISTS vectors (digest TEXT, embedder TEXT, vector BLOB NOT NULL, "
                             "PRIMARY KEY (digest, embedder))")  # fmt: skip
            database.execute("DELETE FROM vectors WHERE embedder != ?", (embedder,))
        self._embedder = embedder
        return database

    def load(self) -> Mapping[str, FloatVector]:
        rows = self._db.execute("SELECT digest, vector FROM vectors")
        return {digest: np.frombuffer(vector, dtype=np.float32) for digest, vector in rows}

    def add(self, vectors: Iterable[tuple[str, FloatVector]]) -> None:
        with self._db:
            self._db.executemany(
                "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)",
                [(digest, self._embedder, vector.tobytes()) for digest, vector in vectors],
            )

    def close(self) -> None:
        self._db.close()


def discard_pending(root: Path) -> None:
    """Forget everything: it has been published."""
    (root / _FILE).unlink(missing_ok=True)
