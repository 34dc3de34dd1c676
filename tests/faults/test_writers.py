"""R7: one writer at a time; the others leave at once and say who it is."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.conftest import ROOT
from tests.faults.conftest import figure
from tests.faults.ingests import Driver, contents, require_tidy, write_revision

Tell = Callable[[str], None]
WRITERS = 8
AT_MOST = 1.0  # seconds until a writer that finds another one has left
PAUSE = 0.5  # seconds a batch of the one that runs takes, so that it still runs when the last one tries


def test_of_eight_ingests_at_once_one_runs_and_seven_leave_naming_it(
    driver: Driver, source: Path, root: Path, tell: Tell
) -> None:
    slowest = 0.0
    for number in range(1, figure(10, 2) + 1):
        wanted = write_revision(source, number)
        processes = [driver.begin(source, root, pause=PAUSE) for _ in range(WRITERS)]
        ended = {process: driver.end(process) for process in processes}
        (winner,) = [process for process, one in ended.items() if one.code == 0]
        turned_away = [one for process, one in ended.items() if process != winner]
        assert [one.code for one in turned_away] == [75] * 7
        assert all(f"is being written by process {winner} on" in one.output for one in turned_away)
        slowest = max(slowest, *(one.seconds for one in turned_away))
        assert contents(root) == wanted
    assert slowest < AT_MOST
    tell(
        f"R7: {number} times {WRITERS} ingests at once: 1 ran, 7 left with exit code 75 naming it, "
        f"the slowest after {slowest:.2f} s"
    )


def test_a_killed_writer_frees_the_lock_at_once(driver: Driver, source: Path, root: Path) -> None:
    wanted = write_revision(source, 1)
    holder = driver.begin(source, root, pause=PAUSE)
    while not (root / "lock").exists():
        time.sleep(0.01)
    assert driver.end(holder, kill_after=PAUSE / 2).code == -9
    assert driver.ingest(source, root).code == 0
    assert contents(root) == wanted
    require_tidy(root)


def test_the_command_itself_is_turned_away_with_75(driver: Driver, source: Path, root: Path) -> None:
    write_revision(source, 1)
    holder = driver.begin(source, root, pause=60)
    command = [sys.executable, "-m", "web", "ingest", str(source), "--index", str(root)]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert finished.returncode == 75
    assert f"is being written by process {holder} on" in finished.stderr
    assert len(finished.stderr.splitlines()) == 1
    driver.end(holder, kill_after=0)
