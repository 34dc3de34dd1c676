"""Reads the files of a zip archive in place: nothing is unpacked, so no entry can write anywhere."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

from ingest.errors import ArticleRejected
from ingest.formats.parsing import LARGEST

_MOST = 50_000  # entries
TOTAL = 2 << 30  # bytes that all entries together may expand to
_INNER = 512 << 20  # bytes of an archive within an archive, as Notion delivers large exports
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)


@dataclass(frozen=True, slots=True)
class ArchiveEntry:
    """A file of an archive: its content, or the problem with it."""

    path: PurePosixPath
    raw: bytes = b""
    problem: str = ""


def entries(file: IO[bytes], endings: frozenset[str], total: int = TOTAL) -> Iterator[ArchiveEntry]:
    """Every file, in order of names; content only for those with one of `endings` (".zip": an archive, one level deep).

    Raises ArticleRejected if the archive cannot be read or holds more than `total` bytes.
    """
    yield from _entries(file, endings, _Budget(total))


class _Budget:
    """The bytes and entries that may still be read."""

    def __init__(self, total: int) -> None:
        self.total, self.bytes, self.entries = total, total, _MOST

    def spend(self, size: int) -> None:
        self.bytes -= size
        if self.bytes < 0:
            raise ArticleRejected(f"it expands to more than {self.total >> 20} MB: split it")


def _entries(file: IO[bytes], endings: frozenset[str], budget: _Budget, inner: bool = False) -> Iterator[ArchiveEntry]:
    try:
        archive = zipfile.ZipFile(file)
    except _DAMAGE as error:
        raise ArticleRejected(f"the archive cannot be read ({error}): export it again") from error
    with archive:
        budget.entries -= len(archive.filelist)
        if budget.entries < 0:
            raise ArticleRejected(f"it has more than {_MOST} files: split it")
        for info in sorted(archive.infolist(), key=lambda info: info.filename):
            path = PurePosixPath(info.filename)
            if info.is_dir() or "__MACOSX" in path.parts:
                continue
            if path.suffix.lower() == ".zip" and not inner:
                yield from _nested_entries(archive, info, endings, budget)
            else:
                yield _entry(archive, info, path, budget) if path.suffix.lower() in endings else ArchiveEntry(path)


def _nested_entries(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, endings: frozenset[str], budget: _Budget
) -> Iterator[ArchiveEntry]:
    try:
        yield from _entries(io.BytesIO(_read(archive, info, _INNER, budget)), endings, budget, inner=True)
    except ArticleRejected as error:
        yield ArchiveEntry(PurePosixPath(info.filename), problem=str(error))


def _entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: PurePosixPath, budget: _Budget) -> ArchiveEntry:
    if path.is_absolute() or ".." in path.parts or "\\" in info.filename:
        return ArchiveEntry(path, problem="its path leads out of the archive")
    if stat.S_ISLNK(info.external_attr >> 16):
        return ArchiveEntry(path, problem="a symbolic link")
    try:
        return ArchiveEntry(path, _read(archive, info, LARGEST, budget))
    except ArticleRejected as error:
        return ArchiveEntry(path, problem=str(error))


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, largest: int, budget: _Budget) -> bytes:
    """The content of an entry; at most `largest` bytes are expanded, whatever size the archive claims."""
    try:
        with archive.open(info) as file:
            raw = file.read(largest + 1)
    except _DAMAGE as error:
        raise ArticleRejected(f"it cannot be read from the archive ({error})") from error
    budget.spend(len(raw))
    if len(raw) > largest:
        raise ArticleRejected(f"larger than {largest // (1024 * 1024)} MB: split it")
    return raw
