"""Several serving processes: who starts them, replaces them, and ends them. Fakes serve; the rest is real."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
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

Start: TypeAlias = "Callable[..., Supervised]"

# Answers each connection with its process id and whether it was the one to announce, in the order of its starts.
FAKE = """
import os, signal, socket, sys, time
from web.serving.worker_slot import WorkerSlot
place = WorkerSlot.given()
how = sys.argv[1:]
if "fails" in how:
    sys.exit(7)
if "stubborn" in how:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
with open(os.environ["STARTS"], "a") as starts:
    starts.write(f"{os.getpid()} {place.announces} {place.of} {place.folder}\\n")
listener = socket.socket(fileno=place.listener)
listener.listen()
listener.settimeout(0.05)
beaten = False
while True:
    if not (beaten and "mute" in how):
        os.write(place.beats, b".")
        beaten = True
    try:
        with listener.accept()[0] as connection:
            connection.sendall(str(os.getpid()).encode())
    except TimeoutError:
        pass
"""
SUPERVISOR = """
import sys
from web.serving import supervisor
supervisor._SILENCE, supervisor._GRACE = 2.0, 1.0
sys.exit(supervisor.main(sys.argv[1:]))
"""


class Supervised:
    """A supervisor of two fakes."""

    def __init__(self, folder: Path, how: tuple[str, ...], log_format: str) -> None:
        self._starts = folder / "starts"
        self._starts.touch()
        self._log = folder / "log"
        listeners = listening.sockets("127.0.0.1", 0, 2)
        self.port = listeners[0].getsockname()[1]
        numbers = [listener.fileno() for listener in listeners]
        self.python = folder / "python"
        self.python.symlink_to(sys.executable)
        fake = [str(self.python), "-c", FAKE, *how]
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SUPERVISOR, json.dumps(numbers), log_format, *fake],
                env={**os.environ, "STARTS": str(self._starts)},
                pass_fds=numbers,
                stderr=log,
                cwd=ROOT,
            )
        for listener in listeners:
            listener.close()

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
        eventually(lambda: {self.ask() for _ in range(20)} == set(pids))
        return pids

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """The supervisor notices nothing meanwhile."""
        self.process.send_signal(signal.SIGSTOP)
        yield
        self.process.send_signal(signal.SIGCONT)

    def kill(self, pid: int) -> None:
        """Kill a process, and let the supervisor notice."""
        said = self.said().count("ended")
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: self.said().count("ended") > said)

    def ask(self, patience: float = PATIENCE) -> int:
        """The id of the process that answers."""
        with socket.create_connection(("127.0.0.1", self.port), patience) as connection:
            return int(connection.recv(100))

    def unsettled(self) -> tuple[int, int]:
        """The id of a process whose three predecessors were killed, and of the other, which never was."""
        victim, other = self.serving()
        for number in (3, 4, 5):
            self.kill(victim)
            victim = self.started(number)[-1]
            eventually(lambda: self.ask() != other)
        return victim, other

    def reaches(self, pid: int) -> bool:
        """Whether twenty in a row are answered by this process, at once."""
        try:
            return {self.ask(patience=0.5) for _ in range(20)} == {pid}
        except OSError:
            return False

    def said(self) -> str:
        return self._log.read_text()

    def end(self) -> int:
        self.process.terminate()
        return self.process.wait(PATIENCE)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    running: list[Supervised] = []

    def start(*how: str, log_format: str = "text") -> Supervised:
        running.append(Supervised(tmp_path, how, log_format))
        return running[-1]

    yield start
    for supervised in running:
        for pid, *_ in supervised.starts():
            if alive(int(pid)):
                os.kill(int(pid), signal.SIGKILL)
        supervised.process.kill()
        supervised.process.wait()


def ended(pid: int) -> bool:
    """Whether a process is over and only its parent has not heard of it."""
    return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_one_process_announces_and_all_of_them_answer(start: Start) -> None:
    supervised = start()
    supervised.serving()
    assert [announces for _, announces, *_ in supervised.starts()] == ["True", "False"]
    assert {of for _, _, of, _ in supervised.starts()} == {"2"}


def test_a_process_that_dies_is_replaced_and_the_other_answers_meanwhile(start: Start) -> None:
    supervised = start()
    one, other = supervised.serving()
    supervised.kill(one)
    answers = {supervised.ask() for _ in range(40)}
    successor = supervised.started(3)[2]
    eventually(lambda: supervised.ask() == successor)
    assert answers <= {other, successor}
    assert supervised.starts()[2][1] == "False"
    assert "ended (signal 9): another takes its place" in supervised.said()


def test_a_process_that_dies_again_and_again_keeps_nobody_waiting(start: Start) -> None:
    supervised = start()
    victim, other = supervised.unsettled()
    supervised.kill(victim)
    assert {supervised.ask() for _ in range(40)} == {other}  # the next successor is started four seconds later
    assert len(supervised.starts()) == 5


def test_whoever_comes_when_all_have_died_is_answered_by_a_successor(start: Start) -> None:
    supervised = start()
    one, other = supervised.serving()
    with supervised.stopped():  # so that it cannot be faster than whoever comes
        for pid in (one, other):
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: ended(one) and ended(other))
        connection = socket.create_connection(("127.0.0.1", supervised.port), PATIENCE)
    with connection:
        answer = int(connection.recv(100))
    assert answer in supervised.started(4)[2:]


def test_nobody_waits_for_a_process_that_died_before_the_other_served_again(start: Start) -> None:
    supervised = start()
    victim, other = supervised.unsettled()
    with supervised.stopped():
        for pid in (victim, other):
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: ended(victim) and ended(other))
    successor = supervised.started(6)[-1]  # of the one that died for the first time
    eventually(lambda: supervised.reaches(successor))
    assert {supervised.ask() for _ in range(40)} == {successor}
    assert len(supervised.starts()) == 6  # and that of the other is started four seconds after it died


def test_where_no_process_can_be_started_the_other_answers_until_one_can(start: Start) -> None:
    supervised = start()
    one, other = supervised.serving()
    supervised.python.unlink()
    supervised.kill(one)
    eventually(lambda: "cannot be started" in supervised.said())
    assert {supervised.ask() for _ in range(40)} == {other}
    supervised.python.symlink_to(sys.executable)
    successor = supervised.started(3)[2]
    eventually(lambda: supervised.ask() == successor)


def test_a_process_that_falls_silent_is_replaced(start: Start) -> None:
    supervised = start("mute")
    first = supervised.started(1)[0]
    eventually(lambda: not alive(first))
    assert "silent" in supervised.said()
    supervised.started(3)


def test_the_log_of_the_supervisor_is_json_where_that_is_wanted(start: Start) -> None:
    supervised = start(log_format="json")
    os.kill(supervised.started(2)[1], signal.SIGKILL)
    supervised.started(3)
    told = json.loads(supervised.said())
    assert (told["level"], told["logger"]) == ("WARNING", "web.serving.supervisor")
    assert "signal 9" in told["message"]


def test_a_first_process_that_cannot_start_ends_it_all_with_its_own_status(start: Start) -> None:
    supervised = start("fails")
    assert supervised.process.wait(PATIENCE) == 7
    assert supervised.starts() == []


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_ends_the_processes_and_then_itself(start: Start, told: signal.Signals) -> None:
    supervised = start()
    pids = supervised.started(2)
    folder = Path(supervised.starts()[0][3])
    assert folder.is_dir()
    supervised.process.send_signal(told)
    assert supervised.process.wait(PATIENCE) == -told
    assert not any(alive(pid) for pid in pids)
    assert not folder.exists()
    with pytest.raises(ConnectionRefusedError):
        supervised.ask()


def test_a_process_that_will_not_stop_is_killed_after_its_grace(start: Start) -> None:
    supervised = start("stubborn")
    pids = supervised.started(2)
    assert supervised.end() == -signal.SIGTERM
    assert not any(alive(pid) for pid in pids)


def test_the_supervisor_loads_nothing_but_ours_and_the_standard_library() -> None:
    code = (
        "import sys; import web.serving.supervisor; "
        "ours = {name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names); "
        "print(sorted(name for name in ours if not name.startswith('__')))"
    )
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['indexes', 'web']"


# --- The sockets


def test_connections_go_to_those_who_listen() -> None:
    one, other = listening.sockets("127.0.0.1", 0, 2)
    with closing(one), closing(other):
        assert one.getsockname() == other.getsockname()
        other.listen()
        for _ in range(10):
            with socket.create_connection(other.getsockname(), 1):
                other.accept()[0].close()


@pytest.mark.parametrize("number", [1, 2])
def test_a_port_that_is_taken_is_refused_even_if_it_could_be_shared(number: int) -> None:
    taken = listening.sockets("127.0.0.1", 0, 2)
    taken[0].listen()
    with pytest.raises(CannotListen, match="another port"):
        listening.sockets("127.0.0.1", taken[0].getsockname()[1], number)
    for one in taken:
        one.close()


def test_a_port_that_is_none_is_refused() -> None:
    with pytest.raises(CannotListen, match="0 to 65535"):
        listening.sockets("127.0.0.1", 65_536, 2)


def test_two_processes_serve_unless_told_where_there_are_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = []
    for cores in (1, 2, 16):
        monkeypatch.setattr(listening, "cores", lambda cores=cores: cores)
        chosen.append((listening.processes(0), listening.processes(3)))
    assert chosen == [(1, 3), (2, 3), (2, 3)]
