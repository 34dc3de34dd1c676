"""R5: on a full disk an ingest fails with a message, the index stays as it was, and every question is answered."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from indexes.snapshots.publishing import current_generation, generations
from tests.faults.conftest import figure, needs_strace
from tests.faults.ingests import Driver, contents, held, require_tidy, require_whole, write_revision
from tests.faults.serving import Client, Server
from tests.faults.tracing import WRITING, calls, traced

Tell = Callable[[str], None]
Serve = Callable[..., Server]
POINTS = 20


class Asking:
    """Asks without a pause until told to stop; counts what failed."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._stop = threading.Event()
        self.asked = self.failed = 0

    @contextmanager
    def meanwhile(self) -> Iterator[Asking]:
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            thread.join()

    def _run(self) -> None:
        for number in itertools.count():
            if self._stop.is_set():
                return
            status, answer = self._client.ask(f"Which port does the service {number % 5} listen on?")
            self.asked += 1
            self.failed += status != 200 or not answer["passages"]


@needs_strace
def test_a_disk_that_is_full_from_any_point_on_fails_the_ingest_and_no_question(
    driver: Driver, source: Path, root: Path, tmp_path: Path, serve: Serve, tell: Tell
) -> None:
    for number in (1, 2, 3, 4):
        write_revision(source, number)
        assert traced(driver, source, root, tmp_path / "log").code == 0
    made = [call.name for call in calls(tmp_path / "log") if call.name in (*WRITING, "mkdir", "rename")]
    until_published = len(made) - made[::-1].index("rename") - 1  # that of the old snapshot that is removed
    until_published -= made[until_published - 1 :: -1].index("rename") + 1  # that of CURRENT
    points = [until_published * n // figure(POINTS, 5) for n in range(figure(POINTS, 5))]
    with Asking(serve(root).client()).meanwhile() as asking:
        for turn, point in enumerate(points, start=5):
            before = current_generation(root)
            wanted = write_revision(source, turn)
            ended = traced(driver, source, root, tmp_path / "log", full_from(made[:point]))
            assert ended.code not in (0, -9)
            assert not ended.acknowledged
            assert current_generation(root) == before
            assert contents(root) == held(turn - 1)
            require_whole(root)
            assert driver.ingest(source, root).code == 0
            assert contents(root) == wanted
            require_tidy(root)
    assert asking.asked > len(points)
    assert asking.failed == 0
    tell(
        f"R5: disk full from {len(points)} points on: no exit code 0, CURRENT unchanged; "
        f"{asking.asked} questions, 0 failed"
    )


def full_from(before: list[str]) -> tuple[str, ...]:
    """Every call that needs space fails once those in `before` have been made."""
    return tuple(f"{name}:error=ENOSPC:when={before.count(name) + 1}+" for name in (*WRITING, "mkdir"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own in memory. Needs the right to mount."""
    place = tmp_path / "disk"
    place.mkdir()
    if shutil.which("mount") is None or mount(place, "size=64m").returncode != 0:
        pytest.skip("needs the right to mount a file system")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def mount(place: Path, options: str) -> subprocess.CompletedProcess[bytes]:
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    return subprocess.run(command, check=False, capture_output=True)


def test_a_disk_that_is_really_full_gives_a_message_and_serves_on(
    driver: Driver, source: Path, small_disk: Path, serve: Serve, tell: Tell
) -> None:
    root = small_disk / "index"
    for number in (1, 2, 3):
        write_revision(source, number)
        assert driver.ingest(source, root).code == 0
    one = sum(path.stat().st_blocks * 512 for path in (root / generations(root)[-1]).iterdir())
    failed = 0
    with Asking(serve(root).client()).meanwhile() as asking:
        for turn in range(figure(POINTS, 5)):
            number, before = turn + 4, contents(root)
            wanted = write_revision(source, number)
            spare = one * 3 * turn // figure(POINTS, 5)
            resize(small_disk, used(small_disk) + spare)
            ended = driver.ingest(source, root)
            if ended.code != 0:
                failed += 1
                assert ended.code == 1, ended.output
                assert "space on the disk" in ended.output
                assert contents(root) == before
            resize(small_disk, 64 * 1024 * 1024)
            assert driver.ingest(source, root).code == 0
            assert contents(root) == wanted
            require_tidy(root)
    assert failed >= figure(POINTS, 5) // 4
    assert asking.failed == 0
    tell(
        f"R5: {failed} of {figure(POINTS, 5)} ingests on a small disk failed with a message; "
        f"{asking.asked} questions, 0 failed"
    )


def resize(place: Path, size: int) -> None:
    assert mount(place, f"remount,size={size}").returncode == 0


def used(place: Path) -> int:
    return shutil.disk_usage(place).used


def test_answers_that_cannot_be_kept_on_a_full_disk_are_given_all_the_same(
    driver: Driver, source: Path, root: Path, small_disk: Path, serve: Serve
) -> None:
    write_revision(source, 1)
    assert driver.ingest(source, root).code == 0
    client = serve(root, FOOTNOTE_JOURNAL=str(small_disk / "journal.sqlite")).client()
    assert client.ask("Which port does the service 2 listen on?")[1]["degraded"] == []
    resize(small_disk, used(small_disk))
    answers = [client.ask(f"Which port does the service 2 listen on, asked {number}?") for number in range(30)]
    assert [status for status, _ in answers] == [200] * 30
    assert answers[-1][1]["degraded"] == ["journal"]
    resize(small_disk, 64 * 1024 * 1024)
    assert client.ask("Which port does the service 2 listen on?")[1]["degraded"] == []
