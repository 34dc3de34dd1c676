"""Requests no client of good will sends, byte by byte over a socket: none gets a 5xx, none is told what it sent."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import pytest

from indexes.models.embedding import Embedder
from tests.conftest import Site
from tests.web.live_servers import served_from

SECRET = "sk-canary-99"
JSON = "content-type: application/json"
FORM = "content-type: application/x-www-form-urlencoded"
ASK, STREAM, CHAT = "/api/v1/ask", "/api/v1/ask/stream", "/v1/chat/completions"
MULTIPART = "content-type: multipart/form-data; boundary=b"


@dataclass(frozen=True)
class Answered:
    status: int
    kind: str
    body: str


class Line:
    """Sends bytes as they are to a server, each on a connection of its own."""

    def __init__(self, address: str) -> None:
        host, _, port = address.removeprefix("http://").partition(":")
        self._address = (host, int(port))

    def send(self, request: bytes) -> Answered:
        received = self._received(request)
        head, _, body = received.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        return Answered(int(first.split()[1]), headers.get("content-type", ""), body.decode("utf-8", "replace"))

    def _received(self, request: bytes) -> bytes:
        received = bytearray()
        with socket.create_connection(self._address, timeout=30) as line:
            # A server that refuses a body unread hangs up; what it said before is there to be read.
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                line.sendall(request)
            with contextlib.suppress(ConnectionResetError):
                while piece := line.recv(65_536):
                    received += piece
        return bytes(received)


@pytest.fixture(scope="module")
def line(tiny_site: Site, embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    with served_from(tiny_site.index, embedder, tmp_path_factory.mktemp("hostile")) as address:
        yield Line(address)


def raw(method: str, target: str | bytes, *headers: str | bytes, body: bytes = b"", length: bool = True) -> bytes:
    given = [header if isinstance(header, bytes) else header.encode() for header in headers]
    if length and (body or method == "POST"):
        given.append(b"content-length: %d" % len(body))
    path = target if isinstance(target, bytes) else target.encode()
    head = [b"%s %s HTTP/1.1" % (method.encode(), path), b"host: localhost", b"connection: close", *given]
    return b"\r\n".join([*head, b"", body])


def asking(body: bytes, path: str = ASK, kind: str = JSON) -> bytes:
    return raw("POST", path, kind, body=body)


def chunked(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (*parts, b""))


NESTED = b'{"question": "x", "tags": ' + b"[" * 900 + b"]" * 900 + b"}"
LARGE = b'{"question": "' + b"x" * 1_000_000 + b'"}'
SURROGATE = rb"\ud800"

BODIES: dict[str, bytes] = {
    "nothing": b"",
    "a word": b"hello",
    "half an object": b'{"question": "' + SECRET.encode(),
    "900 deep": NESTED,
    "20,000 deep": b"[" * 20_000,
    "20,000 objects deep": b'{"a":' * 20_000,
    "no UTF-8": b'{"question": "\xff\xfe\xc0\xaf"}',
    "NUL": b'{"question": "a\\u0000b"}',
    "a raw NUL": b'{"question": "a\x00b"}',
    "white space alone": b'{"question": " \\t\\n\\u00a0\\u2003 "}',
    "a surrogate in the question": b'{"question": "' + SURROGATE + b'"}',
    "a surrogate in a tag": b'{"question": "x", "tags": ["' + SURROGATE + b'"]}',
    "a surrogate in a name": b'{"question": "x", "' + SURROGATE + b'": 1}',
    "a surrogate in the mode": b'{"question": "x", "tag_mode": "' + SURROGATE + b'"}',
    "a surrogate in the conversation": b'{"question": "x", "conversation_id": "' + SURROGATE + b'"}',
    "a surrogate in the history": b'{"question": "x", "history": [{"role": "user", "text": "' + SURROGATE + b'"}]}',
    "a surrogate in a role": b'{"question": "x", "history": [{"role": "' + SURROGATE + b'", "text": "x"}]}',
    "NaN": b'{"question": "x", "limit": NaN}',
    "1e400": b'{"question": "x", "limit": 1e400}',
    "-Infinity": b'{"question": "x", "limit": -Infinity}',
    "a number of 5,000 digits": b'{"question": "x", "limit": ' + b"9" * 5_000 + b"}",
    "a long fraction": b'{"question": "x", "limit": 0.' + b"0" * 100_000 + b"1}",
    "an unknown field": b'{"question": "x", "' + SECRET.encode() + b' is my key": 1}',
    "a list": b'[{"question": "x"}]',
    "null": b"null",
    "a question that is an object": b'{"question": {"' + SECRET.encode() + b'": 1}}',
    "two hundred thousand tags": b'{"question": "x", "tags": [' + b",".join([b'"a"'] * 60_000) + b"]}",
    "a long conversation id": b'{"question": "x", "conversation_id": "' + b"a" * 100_000 + b'"}',
}


@pytest.mark.parametrize("path", [ASK, STREAM, "/api/v1/feedback"])
@pytest.mark.parametrize("body", list(BODIES))
def test_a_body_that_makes_no_sense_is_refused(line: Line, body: str, path: str) -> None:
    refused(line.send(asking(BODIES[body], path)))


def refused(answered: Answered) -> None:
    assert 400 <= answered.status < 500, answered
    assert answered.kind == "application/problem+json"
    problem = json.loads(answered.body)
    assert problem["status"] == answered.status
    assert SECRET not in answered.body


@pytest.mark.parametrize("body", list(BODIES))
def test_clients_of_openai_and_forms_are_refused_in_their_own_way(line: Line, body: str) -> None:
    to_chat = line.send(asking(BODIES[body].replace(b"question", b"model"), CHAT))
    assert 400 <= to_chat.status < 500
    assert json.loads(to_chat.body)["error"]["message"]
    as_form = line.send(asking(b"question=" + BODIES[body], "/", FORM))
    assert as_form.status in (303, 400, 413, 422), as_form


@pytest.mark.parametrize(
    "kind",
    [
        "content-type: text/plain",
        "content-type: application/xml",
        FORM,
        MULTIPART,
        "content-type: ",
        "x: y",
        "content-type: application/json; charset=utf-7",
        "content-type: \x7f",
    ],
)
def test_another_media_type_than_json_is_refused_or_read_as_json(line: Line, kind: str) -> None:
    answered = line.send(asking(b'{"question": "x"}', kind=kind))
    if kind.isprintable():  # the server's own parser hangs up on others
        assert answered.status in (200, 415, 422)
        assert answered.kind in ("application/json", "application/problem+json")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (chunked(b'{"question": ', b'"How long does an access token live?"}'), 200),
        (chunked(LARGE), 413),
        (chunked(*[b"x" * 1000] * 300), 413),
        (chunked(b"{"), 422),
    ],
)
def test_a_body_without_a_length_is_counted_as_it_comes(line: Line, body: bytes, status: int) -> None:
    request = raw("POST", ASK, JSON, "transfer-encoding: chunked", body=body, length=False)
    assert line.send(request).status == status


def test_a_megabyte_is_refused_on_every_route_that_takes_a_body(line: Line) -> None:
    for path in (ASK, STREAM, "/api/v1/feedback"):
        answered = line.send(asking(LARGE, path))
        assert answered.status == 413
        refused(answered)
    for path, kind in ((CHAT, JSON), ("/", FORM), ("/answers/x/feedback", FORM), ("/mcp", JSON)):
        assert line.send(asking(LARGE, path, kind)).status == 413


def test_of_a_name_that_comes_twice_the_last_one_counts(line: Line) -> None:
    answered = line.send(asking(b'{"question": "' + SECRET.encode() + b'", "question": "How are tokens rotated?"}'))
    assert json.loads(answered.body)["question"] == "How are tokens rotated?"


ADDRESSES: dict[str, bytes] = {
    "percent-encoding that is none": b"/api/v1/search?q=%zz%",
    "no UTF-8 in the query": b"/api/v1/search?q=%ff%fe",
    "a surrogate in the query": b"/api/v1/search?q=%ed%a0%80",
    "NUL in the query": b"/api/v1/search?q=a%00b",
    "white space in the query": b"/api/v1/search?q=%20%09%0a",
    "a tag with a surrogate": b"/api/v1/articles?tag=%ed%a0%80",
    "a huge limit": b"/api/v1/articles?limit=" + b"9" * 4_000,
    "a limit with a sign": b"/api/v1/tags?limit=-1e400",
    "a cursor of garbage": b"/api/v1/articles?cursor=%00%ff",
    "NUL in the path": b"/api/v1/articles/a%00b",
    "no UTF-8 in the path": b"/api/v1/articles/%ff%fe",
    "a surrogate in the path": b"/api/v1/articles/%ed%a0%80",
    "a path to above": b"/api/v1/articles/..%2f..%2f..%2fetc%2fpasswd",
    "a path to above, undisguised": b"/api/v1/articles/../../../../etc/passwd",
    "a long path": b"/api/v1/articles/" + b"a" * 30_000,
    "a conversation of garbage": b"/api/v1/conversations/%ff%00",
    "a long conversation id": b"/api/v1/conversations/" + b"a" * 5_000,
    "a thousand tags": b"/api/v1/articles?" + b"&".join([b"tag=a"] * 1_000),
    "a route that is not there": b"/api/v1/%00",
}


@pytest.mark.parametrize("address", list(ADDRESSES))
def test_an_address_that_makes_no_sense_is_no_fault_of_ours(line: Line, address: str) -> None:
    for method in ("GET", "DELETE"):
        answered = line.send(raw(method, ADDRESSES[address]))
        assert answered.status < 500
        if answered.status >= 400:
            refused(answered)
        assert "root:" not in answered.body


@pytest.mark.parametrize(
    "text", ["' OR 1=1 --", '"; DROP TABLE articles; --', "' UNION SELECT name FROM sqlite_master --", "%' --"]
)
def test_what_looks_like_sql_is_a_word_like_others(line: Line, text: str) -> None:
    quoted = quote(text)
    assert json.loads(line.send(raw("GET", f"/api/v1/articles?q={quoted}")).body)["total"] <= 5
    refused(line.send(raw("GET", f"/api/v1/articles?tag={quoted}")))
    for path in ("articles", "conversations"):
        assert line.send(raw("GET", f"/api/v1/{path}/{quoted}")).status == 404
    assert line.send(raw("DELETE", f"/api/v1/conversations/{quoted}")).status == 404
    assert line.send(asking(json.dumps({"question": text, "conversation_id": text}).encode())).status == 404
    assert json.loads(line.send(raw("GET", "/api/v1/articles")).body)["total"] == 5


@pytest.mark.parametrize("path", [ASK, "/api/v1/articles", "/", "/browse", "/mcp", CHAT, "/static/base.js", "/livez"])
@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "PUT", "PATCH", "BREW", "get"])
def test_a_method_that_is_not_served_is_told_which_are(line: Line, method: str, path: str) -> None:
    answered = line.send(raw(method, path, f"cookie: a={SECRET}"))
    assert answered.status in ((400,) if method in ("BREW", "get") else (200, 405)), answered
    assert SECRET not in answered.body  # TRACE would send it back


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/9.9\r\nhost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        raw("GET", "/livez", "x: " + "a" * 200_000),
        raw("GET", b"/" + b"a" * 200_000),
        raw("POST", ASK, JSON, "content-length: -1", length=False),
        raw("POST", ASK, JSON, "content-length: 5", "content-length: 6", body=b"12345", length=False),
        raw("POST", ASK, JSON, "transfer-encoding: chunked", body=b"zz\r\n", length=False),
        raw("GET", "/livez", "bad header: x"),
        raw("GET", b"/liv\x00ez"),
    ],
    ids=["version", "TLS", "header", "target", "length", "lengths", "chunk", "name", "NUL"],
)
def test_what_is_no_http_is_refused_and_the_server_goes_on(line: Line, request_: bytes) -> None:
    try:
        answered = line.send(request_ + b"\r\n\r\n")
        assert 400 <= answered.status < 500 or b"/livez" in request_
    except (IndexError, TimeoutError):  # hung up on, which is an answer too
        pass
    assert line.send(raw("GET", "/livez")).status == 200
