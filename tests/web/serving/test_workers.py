"""Several serving processes: who starts them, replaces them, and ends them. What they serve is fake."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeAlias

import psutil  # type: ignore[import-untyped]
import pytest

from tests.conftest import ROOT
from tests.web.live_servers import PATIENCE, eventually
from web.errors import CannotListen
from web.serving import listening

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="several serving processes need Linux")

Start: TypeAlias = "Callable[..., Served]"


class Served:
    """A supervisor of two fakes."""

    def __init__(self, folder: Path, *how: str, log_format: str = "text") -> None:
        self._starts = folder / "starts"
        self._starts.touch()
        self._log = folder / "log"
        command = [sys.executable, "-m", "tests.web.serving.fake_server", str(folder), log_format, *how]
        with self._log.open("w") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, cwd=ROOT, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def starts(self) -> list[list[str]]:
        """Process id, whether it announces, how many there are, and the folder they share."""
        return [line.split() for line in self._starts.read_text().splitlines()]

    def started(self, number: int) -> list[int]:
        """The ids of the processes so far, as soon as that many have started."""
        eventually(lambda: len(self.starts()) >= number)
        return [int(pid) for pid, *_ in self.starts()]

    def serving(self) -> list[int]:
        """The ids of the two processes, as soon as both serve."""
        pids = self.started(2)
        eventually(lambda: self.reaches(*pids))
        return pids

    def reaches(self, *pids: int) -> bool:
        """Whether twenty in a row are answered by these processes, and by each of them."""
        try:
            return {self.ask() for _ in range(20)} == set(pids)
        except OSError:
            return False

    def ask(self, path: str = "/", patience: float = PATIENCE) -> int:
        """The id of the process that answers."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=patience)) as connection:
            connection.request("GET", path)
            return int(connection.getresponse().read())

    def kill(self, pid: int) -> None:
        """Kill a process, and let the supervisor notice."""
        deaths = self.log().count("ended")
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: self.log().count("ended") > deaths)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """The supervisor notices nothing meanwhile."""
        self.process.send_signal(signal.SIGSTOP)
        yield
        self.process.send_signal(signal.SIGCONT)

    def log(self) -> str:
        return self._log.read_text()

    def folder(self) -> Path:
        """What the processes share lies there."""
        return Path(self.starts()[0][3])


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    running: list[Served] = []

    def start(*how: str, log_format: str = "text") -> Served:
        running.append(Served(tmp_path, *how, log_format=log_format))
        return running[-1]

    yield start
    for served in running:
        for pid, *_ in served.starts():
            if alive(int(pid)):
                os.kill(int(pid), signal.SIGKILL)
        served.process.kill()
        served.process.communicate()
        for started in served.starts():  # nobody who was killed could tidy up
            shutil.rmtree(started[3], ignore_errors=True)


def alive(pid: int) -> bool:
    return bool(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)


def test_one_process_announces_and_all_of_them_answer(start: Start) -> None:
    served = start()
    served.serving()
    assert [announces for _, announces, *_ in served.starts()] == ["True", "False"]
    assert {processes for _, _, processes, _ in served.starts()} == {"2"}


def test_a_process_that_dies_is_replaced_and_the_other_answers_meanwhile(start: Start) -> None:
    served = start()
    one, other = served.serving()
    served.kill(one)
    answers = {served.ask() for _ in range(40)}
    successor = served.started(3)[2]
    eventually(lambda: served.reaches(successor, other))
    assert answers <= {other, successor}
    assert served.starts()[2][1] == "False"
    assert "ended (signal 9): another takes its place" in served.log()


def test_nobody_waits_at_a_process_that_is_dead_before_anybody_has_noticed(start: Start) -> None:
    served = start()
    one, other = served.serving()
    with served.stopped():
        os.kill(one, signal.SIGKILL)
        eventually(lambda: served.reaches(other))
        assert {served.ask() for _ in range(40)} == {other}


def test_between_the_starts_of_a_process_that_dies_again_and_again_there_are_pauses(start: Start) -> None:
    served = start()
    victim, other = served.serving()
    for number in (3, 4, 5):
        served.kill(victim)
        victim = served.started(number)[-1]
        eventually(lambda victim=victim: served.reaches(victim, other))  # type: ignore[misc]
    os.kill(victim, signal.SIGKILL)
    eventually(lambda: served.reaches(other))
    assert {served.ask() for _ in range(40)} == {other}  # the next successor is started seconds later
    assert len(served.starts()) == 5
    eventually(lambda: len(served.starts()) == 6)


def test_where_all_have_died_successors_answer(start: Start) -> None:
    served = start()
    both = served.serving()
    for pid in both:
        os.kill(pid, signal.SIGKILL)
    successors = served.started(4)[2:]
    eventually(lambda: served.reaches(*successors))


def test_where_no_process_can_be_started_the_other_answers_until_one_can(start: Start) -> None:
    served = start()
    one, other = served.serving()
    supervisor = psutil.Process(served.process.pid)
    usual = supervisor.rlimit(psutil.RLIMIT_NOFILE)
    supervisor.rlimit(psutil.RLIMIT_NOFILE, (3, usual[1]))
    os.kill(one, signal.SIGKILL)
    eventually(lambda: "cannot be started" in served.log())
    assert {served.ask() for _ in range(40)} == {other}
    supervisor.rlimit(psutil.RLIMIT_NOFILE, usual)
    successor = served.started(3)[2]
    eventually(lambda: served.reaches(successor, other))


def test_a_process_whose_event_loop_stands_still_is_replaced_and_the_log_tells_where_it_stood(start: Start) -> None:
    served = start()
    served.serving()
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        served.ask("/hang")
    served.started(3)
    assert "Timeout" in served.log()
    assert "fake_server.py" in served.log()


def test_a_process_that_is_stopped_is_replaced(start: Start) -> None:
    served = start()
    one, _ = served.serving()
    os.kill(one, signal.SIGSTOP)
    served.started(3)
    assert not alive(one)


def test_the_figures_of_a_process_that_died_go_with_it(start: Start) -> None:
    served = start()
    one, other = served.serving()
    served.kill(one)
    successor = served.started(3)[2]
    pids = {path.stem.rpartition("_")[2] for path in served.folder().glob("metrics/*")}
    assert pids == {str(other), str(successor)}


def test_the_log_of_the_supervisor_is_json_where_that_is_wanted(start: Start) -> None:
    served = start(log_format="json")
    served.kill(served.serving()[1])
    told = json.loads(served.log())
    assert (told["level"], told["logger"]) == ("WARNING", "web.serving.workers")
    assert "signal 9" in told["message"]


def test_a_first_process_that_cannot_start_ends_it_all_with_its_own_status(start: Start) -> None:
    served = start("fails")
    assert served.process.wait(PATIENCE) == 7
    assert served.starts() == []


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_told_to_stop_it_ends_the_processes_and_then_itself(start: Start, told: signal.Signals) -> None:
    served = start()
    pids, folder = served.serving(), served.folder()
    assert folder.is_dir()
    served.process.send_signal(told)
    assert served.process.wait(PATIENCE) == 256 - told
    assert not any(alive(pid) for pid in pids)
    assert not folder.exists()
    with pytest.raises(ConnectionRefusedError):
        served.ask()


def test_under_nohup_a_terminal_that_is_closed_ends_nothing(start: Start) -> None:
    served = start("nohup")
    pids = served.serving()
    served.process.send_signal(signal.SIGHUP)
    time.sleep(1.5)  # the supervisor reads its signals twice a second
    assert served.process.poll() is None
    assert served.serving() == pids
    served.process.terminate()
    assert served.process.wait(PATIENCE) == 256 - signal.SIGTERM


def test_every_open_stream_of_every_process_is_told_that_the_server_stops(start: Start) -> None:
    served = start()
    pids = served.serving()
    streams = [http.client.HTTPConnection("127.0.0.1", served.port, timeout=PATIENCE) for _ in range(24)]
    for stream in streams:
        stream.request("GET", "/stream")
    responses = [stream.getresponse() for stream in streams]  # all have begun
    served.process.terminate()
    told = {response.read().decode() for response in responses}
    assert told == {f"{pid} interrupted" for pid in pids}


def test_a_process_that_will_not_stop_is_killed_after_its_grace(start: Start) -> None:
    served = start("stubborn")
    pids = served.serving()
    served.process.terminate()
    served.process.wait(PATIENCE)
    assert not any(alive(pid) for pid in pids)


def test_a_supervisor_that_is_killed_takes_the_processes_and_what_they_share_along(start: Start) -> None:
    served = start()
    pids, folder = served.serving(), served.folder()
    served.process.kill()
    eventually(lambda: not any(alive(pid) for pid in pids))
    assert not folder.exists()


# --- The port


def test_connections_go_to_those_who_listen() -> None:
    one = listening.bind("127.0.0.1", 0, 2)
    assert isinstance(one, listening.SharedPort)
    other = listening.SharedPort.bound(one.family, one.getsockname())
    with closing(one), closing(other):
        other.listen()
        for _ in range(10):
            with socket.create_connection(other.getsockname(), 1):
                other.accept()[0].close()


@pytest.mark.parametrize("number", [1, 2])
def test_a_port_that_is_taken_is_refused_even_if_it_could_be_shared(number: int) -> None:
    with closing(listening.bind("127.0.0.1", 0, 2)) as taken:
        taken.listen()
        with pytest.raises(CannotListen, match="another port"):
            listening.bind("127.0.0.1", taken.getsockname()[1], number)


def test_a_port_that_is_none_is_refused() -> None:
    with pytest.raises(CannotListen, match="0 to 65535"):
        listening.bind("127.0.0.1", 65_536, 2)


def test_two_processes_serve_unless_told_where_there_are_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = []
    for cores in (1, 2, 16):
        monkeypatch.setattr(listening, "cores", lambda cores=cores: cores)
        chosen.append((listening.processes(0), listening.processes(3)))
    assert chosen == [(1, 3), (2, 3), (2, 3)]
