"""Ingests under strace: system calls that fail or kill, and what the disk would hold after a power cut."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.ingests import Driver, Ended

SYNCING = ("fsync", "fdatasync")
RENAMING = ("rename", "renameat", "renameat2")
WRITING = (
    "write",
    "pwrite64",
    "writev",
    "pwritev",
    "pwritev2",
    "ftruncate",
    "copy_file_range",
    "sendfile",
    "fallocate",
)
REMOVING = ("unlink", "unlinkat", "rmdir")
CREATING = ("openat", "open", "mkdir", "mkdirat", "link", "linkat", "symlink")
# A file written through a writable mapping would escape this list: the order test refuses such a mapping.
TRACED = (*SYNCING, *RENAMING, *WRITING, *REMOVING, *CREATING, "mmap")

_CALL = re.compile(r"^(?:\d+ +)?(\w+)\((.*)\)\s+= (-?\d+|\?)(.*)$")
_FD = re.compile(r"^-?\d+<([^>]*)>")
_AT = re.compile(r"^(?:AT_FDCWD|\d+)(?:<([^>]*)>)?, ")
_PATH = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Call:
    """One system call that succeeded: its name, and the paths it is about."""

    name: str
    paths: tuple[str, ...]
    arguments: str


def traced(driver: Driver, source: Path, root: Path, log: Path, inject: tuple[str, ...] = ()) -> Ended:
    """An ingest under strace, with its `inject` expressions; the calls go to `log`."""
    process = driver.begin(source, root, traced=True)
    command = ["strace", "-q", "-f", "-y", "-s", "400", "-o", str(log), "-p", str(process)]
    expressions = ["-e", f"trace={','.join(TRACED)}", *(f"--inject={one}" for one in inject)]
    with subprocess.Popen([*command, *expressions], stderr=subprocess.PIPE):
        return driver.end(process)


def calls(log: Path) -> Iterator[Call]:
    """The calls in a log that succeeded, in order."""
    for line in log.read_text(errors="replace").splitlines():
        found = _CALL.match(line)
        if found and not found[3].startswith(("-", "?")) and "INJECTED" not in found[4]:
            yield Call(found[1], _paths(found[1], found[2]), found[2])


def count(log: Path, names: tuple[str, ...]) -> dict[str, int]:
    """How often each of these calls was made."""
    made = [call.name for call in calls(log)]
    return {name: made.count(name) for name in names if name in made}


def _paths(name: str, arguments: str) -> tuple[str, ...]:
    if name == "mmap":
        parts = arguments.split(", ", 4)
        found = _FD.match(parts[4]) if len(parts) > 4 else None
        return (found[1],) if found else ()
    if name in (*CREATING, *RENAMING, *REMOVING):
        return tuple(_named(arguments))
    found = _FD.match(arguments)
    return (found[1],) if found else ()


def _named(arguments: str) -> Iterator[str]:
    """Each quoted path; one relative to an open folder is joined to it."""
    folder = ""
    for part in re.finditer(r'(?:(?:AT_FDCWD|\d+)(?:<([^>]*)>)?, )?"((?:[^"\\]|\\.)*)"', arguments):
        folder = part[1] or folder
        yield part[2] if part[2].startswith("/") or not folder else f"{folder}/{part[2]}"


@dataclass
class Disk:
    """What a power cut may take: contents not fsynced since they were written, names not fsynced since they changed."""

    root: Path
    unsynced: set[str] = field(default_factory=set)  # files
    renamed: dict[str, list[tuple[str, str]]] = field(default_factory=dict)  # folder → (from, to)
    created: dict[str, set[str]] = field(default_factory=dict)  # folder → names

    def apply(self, call: Call) -> None:
        paths = [path for path in call.paths if path.startswith(f"{self.root}")]
        if not paths:
            return
        if call.name in WRITING:
            self.unsynced.add(paths[0])
        elif call.name in SYNCING:
            self.unsynced.discard(paths[0])
            self.renamed.pop(paths[0], None)
            self.created.pop(paths[0], None)
        elif call.name in RENAMING:
            self._rename(paths[0], paths[1])
        elif call.name in REMOVING:
            self.unsynced.discard(paths[0])
        elif call.name in CREATING and ("O_CREAT" in call.arguments or not call.name.startswith("open")):
            self.created.setdefault(_folder(paths[-1]), set()).add(paths[-1])
            if "O_CREAT" in call.arguments:
                self.unsynced.add(paths[-1])

    def _rename(self, old: str, new: str) -> None:
        self.unsynced = {_moved(path, old, new) for path in self.unsynced}
        self.created = {_moved(folder, old, new): names for folder, names in self.created.items()}
        self.renamed.setdefault(_folder(new), []).append((old, new))


def disk_after(log: Path, root: Path) -> Disk:
    disk = Disk(root)
    for call in calls(log):
        disk.apply(call)
    return disk


def _folder(path: str) -> str:
    return path.rsplit("/", 1)[0]


def _moved(path: str, old: str, new: str) -> str:
    return new + path[len(old) :] if path == old or path.startswith(f"{old}/") else path
