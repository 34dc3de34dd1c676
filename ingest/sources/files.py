"""Opens and reads files, but only regular ones of a reasonable size."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import BinaryIO

from ingest.errors import ArticleRejected
from ingest.formats.parsing import LARGEST

LINK = "a symbolic link: name its target as a source instead"


def open_file(path: Path) -> BinaryIO:
    """Opens a regular file: a symbolic link may lead out of the folder, a FIFO never ends. Raises ArticleRejected."""
    try:
        str(path).encode("utf-8")
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            raise ArticleRejected(LINK)
        if not stat.S_ISREG(mode):
            raise ArticleRejected("not a regular file")
        return path.open("rb")
    except UnicodeEncodeError as error:
        raise ArticleRejected("its name is not UTF-8: rename it") from error
    except OSError as error:
        raise ArticleRejected(f"cannot be read ({error.strerror}): check its permissions") from error


def read_file(path: Path, largest: int = LARGEST) -> bytes:
    """The content. Raises ArticleRejected if it exceeds `largest` bytes or cannot be read."""
    with open_file(path) as file:
        try:
            raw = file.read(largest + 1)
        except OSError as error:
            raise ArticleRejected(f"cannot be read ({error.strerror}): check its disk") from error
    if len(raw) > largest:
        size = f"{largest >> 20} MB: split" if largest >= 1 << 20 else f"{largest >> 10} KB: shorten"
        raise ArticleRejected(f"larger than {size} it")
    return raw
