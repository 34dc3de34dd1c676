"""Stores the vectors of an unpublished ingest, so that an interrupted one can continue where it stopped."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from indexes.types import EmbeddedPassage

_FILE = "pending.sqlite"


class PendingVectors:
    """A table digest → vectors beside the snapshots. The caller holds the write lock."""

    def __init__(self, root: Path, embedder: str) -> None:
        self._path = root / _FILE
        try:
            self._db = self._open(embedder)
            self._vectors = self._read()
        except sqlite3.DatabaseError:  # damaged by a crash, or of an earlier form: the vectors are computed again
            discard_pending(root)
            self._db = self._open(embedder)
            self._vectors = {}

    def _open(self, embedder: str) -> sqlite3.Connection:
        database = sqlite3.connect(self._path)
        with database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS vectors (digest TEXT, embedder TEXT, vector BLOB NOT NULL, "
                "span_count INTEGER NOT NULL, spans BLOB NOT NULL, crc INTEGER NOT NULL, "
                "PRIMARY KEY (digest, embedder))"
            )
            database.execute("DELETE FROM vectors WHERE embedder != ?", (embedder,))
        self._embedder = embedder
        return database

    def load(self) -> Mapping[str, EmbeddedPassage]:
        """The vectors of the interrupted ingest; those altered since are left out."""
        return self._vectors

    def _read(self) -> dict[str, EmbeddedPassage]:
        rows = self._db.execute("SELECT digest, vector, span_count, spans, crc FROM vectors")
        return {
            digest: EmbeddedPassage(
                np.frombuffer(vector, dtype=np.float32), np.frombuffer(spans, dtype=np.int8).reshape(count, -1)
            )
            for digest, vector, count, spans, crc in rows
            if _checksum(vector, count, spans) == crc
        }

    def add(self, passages: Iterable[tuple[str, EmbeddedPassage]]) -> None:
        with self._db:
            self._db.executemany(
                "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?, ?, ?)",
                [(digest, self._embedder, *_raw(passage)) for digest, passage in passages],
            )

    def close(self) -> None:
        self._db.close()


def _raw(passage: EmbeddedPassage) -> tuple[bytes, int, bytes, int]:
    vector, spans = passage.vector.tobytes(), passage.spans.tobytes()
    return vector, len(passage.spans), spans, _checksum(vector, len(passage.spans), spans)


def _checksum(vector: bytes, span_count: int, spans: bytes) -> int:
    return zlib.crc32(b"%d " % span_count + vector + spans)


def discard_pending(root: Path) -> None:
    """Removes the stored vectors, which have been published."""
    for name in (_FILE, f"{_FILE}-journal"):
        (root / name).unlink(missing_ok=True)
