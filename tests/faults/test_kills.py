"""R1 to R3: an ingest that is killed, or whose disk or power fails, leaves the old snapshot or the new one."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from indexes.snapshots.publishing import current_generation
from tests.conftest import ROOT
from tests.faults.conftest import figure, needs_strace
from tests.faults.ingests import (
    Contents,
    Driver,
    Ended,
    contents,
    require_tidy,
    require_whole,
    write_revision,
)
from tests.faults.tracing import (
    REMOVING,
    RENAMING,
    SYNCING,
    WRITING,
    Call,
    Disk,
    calls,
    count,
    disk_after,
    traced,
)

Tell = Callable[[str], None]

CHANGING = (*SYNCING, *RENAMING, *WRITING, *REMOVING, "mkdir")


@dataclass
class Life:
    """An index that goes from revision to revision, whatever happens on the way."""

    driver: Driver
    source: Path
    root: Path
    revision: int = 0
    before: Contents | None = None

    def next_revision(self) -> Contents:
        """Change the source; what the index will hold once that is ingested."""
        self.revision += 1
        return write_revision(self.source, self.revision)

    def ingest(self, kill_after: float | None = None) -> Ended:
        return self.driver.ingest(self.source, self.root, kill_after)

    def traced(self, log: Path, *inject: str) -> Ended:
        return traced(self.driver, self.source, self.root, log, inject)

    def settle(self, wanted: Contents) -> None:
        """The next ingest after whatever happened succeeds and leaves nothing behind."""
        ended = self.ingest()
        assert (ended.code, ended.acknowledged) == (0, True), ended.output
        assert contents(self.root) == wanted
        require_whole(self.root)
        require_tidy(self.root)
        self.before = wanted

    def require_old_or_new(self, wanted: Contents, acknowledged: bool) -> bool:
        """Whether it is the new one. A mix, or the loss of what was acknowledged, fails."""
        require_whole(self.root)
        now = contents(self.root)
        assert now == wanted or (now == self.before and not acknowledged)
        self.before = now
        return now == wanted


@pytest.fixture
def life(driver: Driver, source: Path, root: Path) -> Life:
    life = Life(driver, source, root)
    life.settle(life.next_revision())
    life.settle(life.next_revision())
    return life


# --- R1


def test_an_ingest_killed_at_random_leaves_the_old_snapshot_or_the_new_one(life: Life, tell: Tell) -> None:
    chance = random.Random(1)
    longest = max(timed(life) for _ in range(5))
    killed = new = 0
    while killed < figure(300, 30):
        wanted = life.next_revision()
        ended = life.ingest(kill_after=chance.uniform(0, longest))
        is_new = life.require_old_or_new(wanted, ended.acknowledged)
        killed += ended.code == -9
        new += ended.code == -9 and is_new
        if killed % 5 == 0:
            life.settle(wanted)
    tell(f"R1: {killed} ingests killed at random: {killed - new} left the old snapshot, {new} the new one, 0 a mix")


def timed(life: Life) -> float:
    life.next_revision()
    ended = life.ingest()
    assert ended.code == 0
    life.before = contents(life.root)
    return ended.seconds


def test_the_command_itself_killed_at_random_goes_on_where_it_was(tmp_path: Path, source: Path, tell: Tell) -> None:
    root, chance = tmp_path / "index", random.Random(2)
    before: Contents = {}
    for number in range(1, figure(12, 3) + 1):
        wanted = write_revision(source, number)
        with subprocess.Popen(
            command(source, root), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                process.wait(timeout=chance.uniform(0.5, 4))
            except subprocess.TimeoutExpired:
                process.kill()
        if current_generation(root) is not None:
            require_whole(root)
            before_or_after = contents(root)
            assert before_or_after in (before, wanted)
            before = before_or_after
    subprocess.run(command(source, root), cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    assert contents(root) == wanted
    require_tidy(root)
    tell(f"R1: `footnote ingest` with the real model killed {number} times, then whole and tidy")


def command(source: Path, root: Path) -> list[str]:
    return [sys.executable, "-m", "web", "ingest", str(source), "--index", str(root)]


# --- R2, and the half of R3 that follows from where it stopped


@needs_strace
@pytest.mark.parametrize("fault", ["signal=KILL", "error=EIO", "error=ENOSPC"])
def test_a_fault_at_any_call_that_changes_the_disk_leaves_the_old_snapshot_or_the_new_one(
    life: Life, tmp_path: Path, fault: str, tell: Tell
) -> None:
    log = tmp_path / "log"
    for _ in range(3):  # so that the one that is counted prunes too
        life.next_revision()
        life.traced(log)
    life.before = contents(life.root)
    places = [(name, n) for name, times in count(log, CHANGING).items() for n in range(1, times + 1)]
    new = 0
    for turn, (name, number) in enumerate(chosen(places)):
        wanted = life.next_revision()
        ended = life.traced(log, f"{name}:{fault}:when={number}")
        if fault == "signal=KILL":
            assert ended.code in (-9, 0)  # 0: this run needed fewer of these calls
            cut_power(disk_after(log, life.root), turn, str(current_generation(life.root)))
        else:
            assert ended.code in (0, 1), ended.output  # 70: an error that nobody expected
            assert ended.code == 0 or ended.output.count("footnote: ") == 1, ended.output
        new += life.require_old_or_new(wanted, ended.acknowledged)
        life.settle(wanted)
    met = len(chosen(places))
    tell(f"R2: {fault} at {met} of {len(places)} calls: {met - new} left the old snapshot, {new} the new, 0 bad states")


def chosen(places: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """All of them; in the short form every rename and an eighth of the rest."""
    every = figure(1, 8)
    return [place for n, place in enumerate(places) if place[0] == "rename" or n % every == 0]


def cut_power(disk: Disk, turn: int, current: str) -> None:
    """Lose what was not fsynced: contents cut off, halved or zeroed, and every other time the first rename."""
    for path in map(Path, disk.unsynced):
        if path.is_file():
            length = path.stat().st_size
            path.write_bytes([b"", path.read_bytes()[: length // 2], b"\0" * length][turn % 3])
    renames = disk.renamed.get(str(disk.root), [])
    if turn % 2 and renames:
        old, new = map(Path, renames[0])
        if new.name == "CURRENT":
            new.write_text(f"{int(current) - 1:06d}\n")
        elif new.exists() and not old.exists():
            new.rename(old)


# --- R3


@needs_strace
def test_every_file_is_synced_before_it_is_renamed_and_every_rename_before_it_is_relied_on(
    life: Life, tmp_path: Path, tell: Tell
) -> None:
    for _ in range(3):
        life.next_revision()
        assert life.traced(tmp_path / "log").code == 0
    made = list(calls(tmp_path / "log"))
    assert violations(made, life.root) == []
    syncs = [call for call in needed(made[: pruning(made)], life.root) if not call.paths[0].endswith(".sqlite")]
    missed = [sync for sync in syncs if not violations([call for call in made if call is not sync], life.root)]
    assert missed == [], "the test would not notice if these were left out"
    tell(f"R3: {len(made)} calls in order; each of {len(syncs)} fsyncs would be missed")


def needed(made: list[Call], root: Path) -> Iterator[Call]:
    """The fsyncs that make something last; SQLite's own are followed by ours."""
    disk = Disk(root)
    for call in made:
        path = call.paths[0] if call.paths else ""
        if call.name == "fsync" and (path in disk.unsynced or path in disk.created or path in disk.renamed):
            yield call
        disk.apply(call)


def pruning(made: list[Call]) -> int:
    """Where the first old snapshot is removed."""
    return next(place for place, call in enumerate(made) if call.name in RENAMING and "removed" in call.paths[1])


def violations(made: list[Call], root: Path) -> list[str]:
    """What a power cut could take although something later relies on it."""
    disk, found = Disk(root), []
    for call in made:
        found += list(broken(disk, call, root))
        disk.apply(call)
    return found


def broken(disk: Disk, call: Call, root: Path) -> Iterator[str]:
    inside = [path for path in call.paths if path.startswith(f"{root}/")]
    if call.name == "mmap" and inside and re.search(r"PROT_WRITE, MAP_SHARED", call.arguments):
        yield f"{inside[0]} is written through a mapping, which this test cannot follow"
    if call.name in RENAMING and inside and Path(inside[1]).parent == root and "removed" not in inside[1]:
        old = inside[0]
        yield from (f"{path} renamed before it is synced" for path in disk.unsynced if path.startswith(old))
        inner = (names for folder, names in disk.created.items() if folder == old or folder.startswith(f"{old}/"))
        yield from (f"{name} renamed before its folder is synced" for names in inner for name in names)
        yield from (f"{new} relied on before it lasts" for _, new in disk.renamed.get(str(root), ()))
    if inside and "-journal" not in inside[0] and (call.name in REMOVING or "removed" in inside[-1]):
        renames = disk.renamed.get(str(root), ())
        yield from (f"{inside[0]} removed before {new} lasts" for _, new in renames if "removed" not in new)
