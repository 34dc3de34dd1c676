"""What the log says of each request, and that nothing people send gets into it."""

from __future__ import annotations

import io
import json
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from qa.conversations import Conversations, Exchange
from qa.errors import JournalUnavailable
from qa.journal.sqlite.journal import SqliteJournal
from qa.types import Question
from tests.conftest import Site
from web.admission import WorkSlots
from web.app import create_app
from web.observing import logs
from web.observing.logs import AccessLog
from web.services import Services

ASK = "/api/v1/ask"
CHAT = "/v1/chat/completions"
CANARY = "canary-7d1f"

Lines = Callable[[], list[dict[str, Any]]]


class Fails(Conversations):
    """Fails as nobody expects, and with what was asked in the message."""

    def reply(self, question: Question, conversation_id: str | None = None, owner: str = "") -> Exchange:
        try:
            answers: dict[str, Exchange] = {}
            return answers[question.text]
        except KeyError as error:
            raise ValueError(f"cannot answer {question.text!r}") from error


@pytest.fixture
def lines(log: io.StringIO) -> Lines:
    return lambda: [json.loads(line) for line in log.getvalue().splitlines()]


def client_of(services: Services) -> TestClient:
    return TestClient(create_app(services, 262_144, WorkSlots(2, 64), recorders=[AccessLog()]))


@pytest.fixture
def client(tiny_site: Site) -> TestClient:
    return client_of(tiny_site.services)


def failing(services: Services, folder: Path) -> Services:
    return replace(services, conversations=Fails(services.answerer, SqliteJournal(folder / "journal.sqlite").answers))


def test_a_request_is_one_line_with_its_route_and_without_what_was_sent(client: TestClient, lines: Lines) -> None:
    client.get("/api/v1/articles/tokens/related?limit=2&secret=x")
    (line,) = lines()
    assert (line["method"], line["route"], line["status"], line["principal"]) == (
        "GET",
        "/api/v1/articles/{article_id}/related",
        200,
        "",
    )
    assert line["level"] == "INFO"
    assert 0 < line["ms"] < 60_000
    assert "tokens" not in json.dumps(line)
    assert "secret" not in json.dumps(line)


def test_paths_nobody_serves_and_methods_nobody_knows_are_one_route_and_one_method(
    client: TestClient, lines: Lines
) -> None:
    client.request("BREW", "/coffee")
    client.get("/wp-login.php")
    assert [(line["method"], line["route"], line["status"]) for line in lines()] == [
        ("other", "other", 404),
        ("GET", "other", 404),
    ]


def test_health_and_static_files_are_logged_for_debugging_only(client: TestClient, lines: Lines) -> None:
    for path in ("/livez", "/readyz", "/static/style.css", "/api/v1/status"):
        assert client.get(path).status_code == 200
    assert [line["route"] for line in lines()] == ["/api/v1/status"]


def test_a_request_has_an_id_in_its_response_its_problem_and_its_lines(
    tiny_site: Site, lines: Lines, tmp_path: Path
) -> None:
    response = client_of(failing(tiny_site.services, tmp_path)).post(ASK, json={"question": "x"})
    assert response.status_code == 500
    said = {response.headers["x-request-id"], response.json()["request_id"]} | {line["request_id"] for line in lines()}
    assert len(said) == 1
    assert [line["message"].split(" in ")[0] for line in lines()] == ["unexpected error", "POST /api/v1/ask 500"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [("b7e2c0de-91", True), ("00-4bf9:a/b=", True), ("a" * 65, False), ("a b", False), ("", False), ("é", False)],
)
def test_an_id_that_a_proxy_gave_is_kept_if_it_is_well_formed(client: TestClient, given: str, kept: bool) -> None:
    answered = client.get("/livez", headers={b"x-request-id": given.encode()}).headers["x-request-id"]
    assert (answered == given) is kept
    assert answered


def test_requests_at_the_same_time_keep_their_ids_apart(tiny_site: Site, lines: Lines, tmp_path: Path) -> None:
    with client_of(failing(tiny_site.services, tmp_path)) as client:  # all in one event loop, as they would be

        def ask(number: int) -> int:
            sent = client.post(ASK, json={"question": "x"}, headers={"x-request-id": f"n{number}"})
            return sent.status_code

        with ThreadPoolExecutor(4) as people:
            assert list(people.map(ask, range(12))) == [500] * 12
    errors = [line["request_id"] for line in lines() if line["level"] == "ERROR"]
    assert sorted(errors) == sorted(f"n{number}" for number in range(12))


def test_nothing_that_people_send_is_logged_or_told_in_an_error(
    tiny_site: Site, log: io.StringIO, tmp_path: Path
) -> None:
    told = []
    for services in (tiny_site.services, failing(tiny_site.services, tmp_path), unkept(tiny_site.services, tmp_path)):
        told += hostile_requests(client_of(services))
    assert {response.status_code for response in told} >= {401, 404, 405, 413, 422, 500, 503}
    assert CANARY not in log.getvalue()
    assert log.getvalue().count("\n") >= len(told)
    # A page may show who asked what they asked; an error that a program reads names a wrong tag and nothing else.
    problems = [r.json()["detail"] for r in told if "problem" in r.headers.get("content-type", "") and CANARY in r.text]
    assert set(problems) == {f"No article carries the tag '{CANARY} is no tag'. All tags: GET /api/v1/tags."}


def hostile_requests(client: TestClient) -> list[Any]:
    """Requests with a canary in every place a secret or a question may be in, answered or refused."""
    client.cookies.set("session", CANARY)
    headers = {
        "x-api-key": CANARY,
        "referer": f"https://x/{CANARY}",
        "user-agent": CANARY,
        "x-slack-signature": f"v0={CANARY}",
        "x-request-id": f"{CANARY} is not well-formed",
    }
    called = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "ask", "arguments": {"question": CANARY}},
    }
    form = {"content-type": "application/x-www-form-urlencoded"}
    sent: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", ASK, {"json": {"question": CANARY}}),
        ("POST", f"{ASK}/stream", {"json": {"question": CANARY}}),
        ("POST", ASK, {"json": {"question": CANARY, "tags": [f"{CANARY} is no tag"]}}),
        ("POST", ASK, {"json": {"question": CANARY * 1000}}),
        ("POST", ASK, {"json": {"question": "x", f"{CANARY} is no field": CANARY}}),
        ("POST", ASK, {"json": {"question": "x", "conversation_id": CANARY}}),
        ("POST", ASK, {"content": f'{{"question": "{CANARY}'}),
        ("POST", ASK, {"content": f'{{"question": "{CANARY}", "x": {"[" * 20_000}'}),  # nested too deep
        ("POST", ASK, {"content": f'{{"question": "{CANARY}{"x" * 300_000}"}}'}),
        ("POST", ASK, {"content": b'{"question": "\\ud800' + CANARY.encode() + b'"}'}),
        ("POST", "/api/v1/feedback", {"json": {"answer_id": CANARY, "helpful": True, "comment": CANARY}}),
        ("GET", f"/api/v1/search?q={CANARY}&limit={CANARY}", {}),
        ("GET", f"/api/v1/search?q={CANARY}", {}),
        ("GET", f"/api/v1/articles?cursor={CANARY}&q={CANARY}", {}),
        ("GET", f"/api/v1/articles/{CANARY}", {}),
        ("GET", f"/api/v1/conversations/{CANARY}", {}),
        ("DELETE", f"/api/v1/conversations/{CANARY}", {}),
        ("PUT", f"{ASK}?{CANARY}", {}),
        ("GET", f"/{CANARY}", {}),
        ("POST", "/", {"content": f"question={CANARY}&tags={CANARY}", "headers": form}),
        ("POST", CHAT, {"json": {"model": "footnote", "messages": [{"role": "user", "content": CANARY}]}}),
        (
            "POST",
            CHAT,
            {"json": {"model": "footnote", "stream": True, "messages": [{"role": "user", "content": CANARY}]}},
        ),
        ("POST", CHAT, {"json": {"model": CANARY, "messages": []}}),
        ("GET", f"/v1/models/{CANARY}", {}),
        ("POST", "/mcp", {"json": called, "headers": {"accept": "application/json, text/event-stream"}}),
        ("GET", f"/answers/{CANARY}", {"headers": {"accept": "text/html"}}),
        ("POST", ASK, {"json": {"question": "x"}, "headers": {"authorization": f"Bearer {CANARY}"}}),
        ("GET", "/", {"headers": {"cookie": f"__Host-footnote={CANARY}", "accept": "text/html"}}),
    ]
    return [
        client.request(method, path, **{**how, "headers": {**headers, **how.get("headers", {})}})
        for method, path, how in sent
    ]


def unkept(services: Services, folder: Path) -> Services:
    """The same with a journal that can no longer be used."""
    journal = SqliteJournal(folder / "journal.sqlite")
    journal.close()
    return replace(services, conversations=Conversations(services.answerer, journal.answers))


def test_a_journal_that_fails_is_told_without_what_was_asked(tiny_site: Site, lines: Lines, tmp_path: Path) -> None:
    with pytest.raises(JournalUnavailable):
        unkept(tiny_site.services, tmp_path).conversations.records("x")
    answer = client_of(unkept(tiny_site.services, tmp_path)).post(ASK, json={"question": CANARY}).json()
    assert answer["degraded"] == ["journal"]
    assert "not kept" in lines()[0]["message"]
    assert CANARY not in json.dumps(lines())


# --- how lines are written


def logged(format: str, level: str, say: Callable[[logging.Logger], None]) -> str:
    stream = io.StringIO()
    root = logging.getLogger()
    handlers = root.handlers[:]
    logs.configure(format, level, stream)  # type: ignore[arg-type]
    say(logging.getLogger("web.anything"))
    root.handlers[:] = handlers
    logs_level = logging.getLogger("web")
    logs_level.setLevel(logging.NOTSET)
    return stream.getvalue()


def fail(logger: logging.Logger) -> None:
    try:
        try:
            sqlite3.connect(":memory:").execute(CANARY)
        except sqlite3.Error as error:
            raise RuntimeError(CANARY) from error
    except RuntimeError:
        logger.exception("it failed")


@pytest.mark.parametrize("format", ["text", "json"])
def test_an_error_is_logged_with_where_and_why_but_not_with_what_it_says(format: str) -> None:
    said = logged(format, "info", fail)
    assert "it failed" in said
    assert "test_logs.py" in said
    assert "sqlite3.OperationalError" in said
    assert "builtins.RuntimeError" in said
    assert said.index("sqlite3.OperationalError") < said.index("builtins.RuntimeError")
    assert "execute(CANARY)" in said  # the line of code
    assert CANARY not in said


def test_at_level_debug_an_error_is_logged_with_what_it_says() -> None:
    assert f"builtins.RuntimeError: {CANARY}" in logged("text", "debug", fail)


@pytest.mark.parametrize("format", ["text", "json"])
def test_control_characters_can_forge_no_line(format: str) -> None:
    said = logged(format, "info", lambda log: log.warning("a\nINFO web: forged\r\x1b[31m\x9b\u2028\x00 %s", "\ud800\n"))
    assert said.count("\n") == 1
    assert said.endswith("\n")
    assert not set(said[:-1]) & set("\r\x1b\x9b\u2028\x00\ud800")


def test_other_packages_log_warnings_only() -> None:
    def say(_: logging.Logger) -> None:
        for name in ("mcp.server", "slack_sdk", "httpx2", "uvicorn.error"):
            logging.getLogger(name).info(CANARY)
            logging.getLogger(name).warning("a warning")

    said = logged("text", "debug", say)
    assert said.count("a warning") == 4
    assert CANARY not in said


def test_what_asyncio_shows_of_a_task_that_failed_is_left_out() -> None:
    def say(_: logging.Logger) -> None:
        logging.getLogger("asyncio").error("Task exception was never retrieved\nfuture: <ValueError('%s')>", CANARY)

    assert logged("text", "info", say) == "ERROR asyncio: Task exception was never retrieved\n"
