"""A line to the server that can be slow: it holds an answer's stream after its first piece, until let go or cut."""

from __future__ import annotations

import re
import socket
import threading
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"^content-length: (\d+)", re.IGNORECASE | re.MULTILINE)
_FIRST_PIECE = re.compile(rb"event: token\r?\ndata: .*\n", re.MULTILINE)


class SlowLine:
    """Listens on a port of its own and passes on to `server`, one request a connection."""

    def __init__(self, server: str) -> None:
        self._server = urlsplit(server)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.holding = False
        self.cutting = False
        self._go_on = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def hold(self) -> None:
        """The next streams stop after their first piece."""
        self.holding, self.cutting = True, False
        self._go_on.clear()

    def let_go(self, cut: bool = False) -> None:
        """Held streams go on, or break off."""
        self.holding, self.cutting = False, cut
        self._go_on.set()

    def close(self) -> None:
        self.let_go(cut=True)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            try:
                self._pass_on(client)
            except OSError:
                return  # either side has left: so does the line

    def _pass_on(self, client: socket.socket) -> None:
        request = _read_request(client)
        if not request:
            return
        with socket.create_connection((self._server.hostname, self._server.port)) as server:
            server.sendall(re.sub(rb"connection: keep-alive", b"connection: close", request, flags=re.IGNORECASE))
            held = self.holding and b"/ask/stream" in request.split(b"\r\n", 1)[0]
            seen = b""
            while data := server.recv(65_536):
                if not held:
                    client.sendall(data)
                    continue
                seen += data
                if piece := _FIRST_PIECE.search(seen):
                    client.sendall(seen[: piece.end() + 1])
                    self._go_on.wait()
                    if self.cutting:
                        return
                    client.sendall(seen[piece.end() + 1 :])
                    held = False


def _read_request(client: socket.socket) -> bytes:
    request = b""
    while b"\r\n\r\n" not in request:
        data = client.recv(65_536)
        if not data:
            return b""
        request += data
    head, _, body = request.partition(b"\r\n\r\n")
    length = _LENGTH.search(head)
    while length and len(body) < int(length[1]):
        body += client.recv(65_536)
    return head + b"\r\n\r\n" + body
