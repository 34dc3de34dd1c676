"""A real server in a process of its own, and what a client sees of it."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil  # type: ignore[import-untyped]

from tests.conftest import ROOT
from web.serving.listening import processes

PATIENCE = 60.0  # seconds for a server to start on a busy machine
_IDLE = 3.0  # seconds after which a server may close a connection, as any client must expect


class Server:
    """`footnote serve` on a free port."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self.process = process
        self.address = urlsplit(address).netloc
        self._clients: list[Client] = []

    @classmethod
    def start(cls, root: Path, folder: Path, **environment: str) -> Server:
        """Raises AssertionError with what it said if it does not come up."""
        log = folder / "server.log"
        with log.open("w") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "web", "serve", "--index", str(root)],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={
                    **os.environ,
                    "FOOTNOTE_JOURNAL": str(folder / "journal.sqlite"),
                    "FOOTNOTE_KEYS": str(folder / "keys.sqlite"),
                    "FOOTNOTE_PORT": "0",
                    **environment,
                },
            )
        assert process.stdout is not None
        line = process.stdout.readline()
        if "http://" not in line:
            process.kill()
            process.communicate()
            raise AssertionError(log.read_text())
        server = cls(process, line.split()[-1])
        wanted = int({**os.environ, **environment}.get("FOOTNOTE_WORKERS", "0"))
        eventually(lambda: server.listening() == processes(wanted), PATIENCE)
        return server

    def client(self) -> Client:
        """A connection of its own. The port listens before the server is ready: the first answer may take a while."""
        client = Client(self.address)
        self._clients.append(client)
        return client

    def close_clients(self) -> None:
        for client in self._clients:
            client.close()

    def close(self) -> None:
        self.close_clients()
        self.process.terminate()
        self.process.communicate(timeout=PATIENCE)

    def handles(self, folder: Path) -> tuple[int, set[str]]:
        """How many descriptors its processes have open, and which files of `folder` they have open or mapped."""
        processes = [Path(f"/proc/{process.pid}") for process in self.processes()]
        descriptors = [link for process in processes for entry in (process / "fd").iterdir() if (link := _link(entry))]
        maps = [line for process in processes for line in (process / "maps").read_text().splitlines()]
        mapped = {line.split(maxsplit=5)[5] for line in maps if str(folder) in line}
        return len(descriptors), {link for link in descriptors if str(folder) in link} | mapped

    def processes(self) -> list[psutil.Process]:
        """The supervisor and those that serve, or the one that does both."""
        return [psutil.Process(self.process.pid), *self.workers()]

    def workers(self) -> list[psutil.Process]:
        """The processes that serve under a supervisor."""
        return [child for child in psutil.Process(self.process.pid).children() if _listens(child)]

    def shared_folder(self) -> Path:
        """The folder of what they share."""
        return Path(self.workers()[0].environ()["PROMETHEUS_MULTIPROC_DIR"]).parent

    def listening(self) -> int:
        """How many processes listen: those that serve."""
        return sum(map(_listens, self.processes()))


class Client:
    """One connection, kept open. Errors of the connection are raised: they are failed requests."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(address, timeout=PATIENCE)
        self._used = 0.0

    def get(self, path: str) -> tuple[int, Any]:
        return self._request("GET", path, None)

    def ask(self, question: str) -> tuple[int, Any]:
        return self._request("POST", "/api/v1/ask", json.dumps({"question": question}))

    def close(self) -> None:
        self._connection.close()

    def _request(self, method: str, path: str, body: str | None) -> tuple[int, Any]:
        if time.monotonic() - self._used > _IDLE:
            self._connection.close()  # and opened again by the request
        self._used = time.monotonic()
        self._connection.request(method, path, body, {"content-type": "application/json"})
        response = self._connection.getresponse()
        text = response.read()
        return response.status, json.loads(text) if "json" in response.headers["content-type"] else text


def eventually(holds: Callable[[], bool], within: float) -> float:
    """Seconds until `holds`; fails if that takes longer than `within`."""
    started = time.monotonic()
    while True:
        if holds():
            return time.monotonic() - started
        assert time.monotonic() - started < within, "not within the time allowed"
        time.sleep(0.02)


def _listens(process: psutil.Process) -> bool:
    try:
        return any(c.status == "LISTEN" for c in process.net_connections("tcp"))
    except psutil.NoSuchProcess:  # ended meanwhile
        return False


def _link(entry: Path) -> str:
    try:
        return os.readlink(entry)
    except FileNotFoundError:  # closed meanwhile
        return ""
