"""Too much at once: who waits, who is refused and how, over a real socket."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Semaphore

import httpx2
import pytest
from starlette.types import Message, Receive, Scope, Send

from indexes.models.embedding import Embedder
from indexes.types import FloatMatrix
from tests.conftest import Site, make_services
from tests.web.live_servers import served
from web.admission import Overloaded, WorkSlot, WorkSlots, waiting_outside
from web.app import create_app
from web.middleware.admission import Admission
from web.routing.facts import RouteFacts

ASK = "/api/v1/ask"
QUESTION = {"question": "How long does an access token live?"}


@dataclass
class Held:
    """The real embedder, which embeds a question only when it is told to go on."""

    real: Embedder
    arrived: Semaphore = field(default_factory=lambda: Semaphore(0))
    go_on: Event = field(default_factory=Event)

    def embed_question(self, text: str) -> FloatMatrix:
        self.arrived.release()
        assert self.go_on.wait(30)
        return self.real.embed_question(text)


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def site_with(slots: WorkSlots, held: Held, index: Path, folder: Path) -> Iterator[str]:
    with (
        make_services(index, held, folder / "own") as services,
        served(create_app(services, max_body=262_144, slots=slots)) as address,
    ):
        yield address


def ask(address: str) -> httpx2.Response:
    return httpx2.post(address + ASK, json=QUESTION, timeout=30)


def test_past_capacity_a_question_is_refused_readably_and_health_is_not(
    site: Site, embedder: Embedder, tmp_path: Path
) -> None:
    held = Held(embedder)
    with site_with(WorkSlots(1, 1), held, site.index, tmp_path) as address, ThreadPoolExecutor() as people:
        first = people.submit(ask, address)
        assert held.arrived.acquire(timeout=30)
        refused = ask(address)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["detail"].startswith("More is asked than can be answered at the moment")
        assert refused.headers["x-content-type-options"] == "nosniff"
        asked_from_a_page = httpx2.post(address + ASK, json=QUESTION, headers={"origin": address})
        assert (asked_from_a_page.status_code, asked_from_a_page.json()["detail"]) == (503, refused.json()["detail"])
        page = httpx2.get(address, headers={"accept": "text/html"})
        assert (page.status_code, page.headers["retry-after"]) == (503, "1")
        assert "please try again in a second" in page.text
        assert [httpx2.get(address + path).status_code for path in ("/livez", "/readyz", "/static/style.css")] == [
            200,
            200,
            200,
        ]
        held.go_on.set()
        assert first.result().json()["answered"] is True
        assert ask(address).status_code == 200


def test_a_burst_within_capacity_waits_and_is_answered_alike(site: Site, embedder: Embedder, tmp_path: Path) -> None:
    held = Held(embedder)
    held.go_on.set()
    with (
        site_with(WorkSlots(2, 16, patience=30), held, site.index, tmp_path) as address,
        ThreadPoolExecutor(12) as people,
    ):
        answers = list(people.map(lambda _: ask(address), range(12)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({(answer.json()["text"], answer.json()["confidence"]) for answer in answers}) == 1


def test_a_slow_sender_takes_no_turn(site: Site, embedder: Embedder, tmp_path: Path) -> None:
    held = Held(embedder)
    held.go_on.set()
    with site_with(WorkSlots(1, 1), held, site.index, tmp_path) as address:
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as slow:
            slow.sendall(b"POST /api/v1/ask HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
            assert ask(address).status_code == 200


# --- turns


def test_turns_are_taken_in_order_of_arrival() -> None:
    async def scenario() -> list[str]:
        slots, order = WorkSlots(1, 10), []

        async def work(name: str) -> None:
            slot = await slots.take()
            order.append(name)
            await asyncio.sleep(0)
            slot.give_back()

        await asyncio.gather(*(work(name) for name in "abcde"))
        return order

    assert asyncio.run(scenario()) == list("abcde")


async def come(slots: WorkSlots) -> asyncio.Task[WorkSlot]:
    """One who comes and has begun to wait, if there is no turn."""
    task = asyncio.create_task(slots.take())
    await asyncio.sleep(0)
    return task


def test_when_it_is_too_much_the_crowd_is_served_and_only_the_next_one_waits() -> None:
    async def scenario() -> None:
        slots = WorkSlots(1, 4, patience=30, clock=Clock())
        held = await slots.take()
        line = [await come(slots) for _ in range(3)]
        with pytest.raises(Overloaded):  # the house is full: from now on it is too much
            await slots.take()
        for place in range(3):
            held.give_back()
            held = await line[place]
            if place == 2:  # the last one of the crowd is served
                line.append(await come(slots))
            with pytest.raises(Overloaded):
                await slots.take()
        held.give_back()
        (await line[3]).give_back()

    asyncio.run(scenario())


def test_when_it_is_too_much_a_turn_that_comes_late_is_a_refusal() -> None:
    async def scenario() -> None:
        clock = Clock()
        slots = WorkSlots(1, 3, patience=30, clock=clock)
        held = await slots.take()
        early = await come(slots)
        clock.now = 0.2
        late = await come(slots)
        slots.refuse()
        clock.now = 0.3
        held.give_back()
        with pytest.raises(Overloaded):
            await early
        (await late).give_back()
        (await slots.take()).give_back()

    asyncio.run(scenario())


def test_when_nobody_has_been_refused_for_a_second_a_crowd_may_wait_again() -> None:
    async def scenario() -> None:
        clock = Clock()
        slots = WorkSlots(1, 3, patience=30, clock=clock)
        held = await slots.take()
        slots.refuse()
        crowd = [await come(slots)]
        assert slots.full
        clock.now = 1.0
        crowd.append(await come(slots))
        assert slots.full
        held.give_back()
        for waiting in crowd:
            (await waiting).give_back()

    asyncio.run(scenario())


def test_who_has_waited_too_long_is_refused_and_leaves_its_place() -> None:
    async def scenario() -> None:
        slots = WorkSlots(1, 2, patience=0.01)
        held = await slots.take()
        with pytest.raises(Overloaded):
            await slots.take()
        held.give_back()
        (await slots.take()).give_back()

    asyncio.run(scenario())


def test_a_turn_that_comes_as_its_owner_leaves_is_handed_on() -> None:
    async def scenario() -> None:
        slots = WorkSlots(1, 3)
        held = await slots.take()
        leaving, staying = await come(slots), await come(slots)
        held.give_back()
        leaving.cancel()
        (await staying).give_back()
        assert leaving.cancelled()
        (await slots.take()).give_back()

    asyncio.run(scenario())


def test_a_turn_given_back_twice_is_one_turn() -> None:
    async def scenario() -> None:
        slots = WorkSlots(1, 2)
        first = await slots.take()
        first.give_back()
        first.give_back()
        await slots.take()
        waiting = asyncio.create_task(slots.take())
        await asyncio.sleep(0)
        assert not waiting.done()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert not slots.full  # who went away while waiting has left

    asyncio.run(scenario())


@pytest.mark.parametrize(("content_type", "turns_held"), [(b"text/event-stream", 0), (b"text/html", 1)])
def test_an_open_stream_holds_no_turn(content_type: bytes, turns_held: int) -> None:
    slots = WorkSlots(1, 1)
    full: list[bool] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", content_type)]})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        full.append(slots.full)
        await send({"type": "http.response.body", "body": b""})

    async def scenario() -> None:
        await Admission(app, slots)({"type": "http", "facts": RouteFacts(), "headers": []}, _empty_body, _ignored)

    asyncio.run(scenario())
    assert full == [bool(turns_held)]
    assert not slots.full


REQUEST = {"type": "http", "path": "/", "headers": [], "facts": RouteFacts()}


@dataclass
class Asking:
    """An application that asks something outside the process, in a thread, and is told when the answer is there."""

    outside: Event = field(default_factory=Event)
    answered: Event = field(default_factory=Event)
    came_back: Event = field(default_factory=Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.to_thread(self._ask)

    def _ask(self) -> None:
        with waiting_outside():
            self.outside.set()
            assert self.answered.wait(10)
        self.came_back.set()


def test_a_request_that_waits_outside_lets_another_work_and_goes_on_at_once() -> None:
    async def scenario() -> None:
        slots, asking = WorkSlots(1, 64), Asking()
        request = asyncio.create_task(Admission(asking, slots)(REQUEST, _empty_body, _ignored))
        await asyncio.to_thread(asking.outside.wait, 10)
        other = await slots.take()  # without the slot that was set aside it would have to wait
        line = await come(slots)
        asking.answered.set()
        await request
        assert (slots.working, line.done()) == (1, False)  # what has come back was one more than usual
        other.give_back()
        (await line).give_back()
        assert slots.working == 0

    asyncio.run(scenario())


def test_a_client_that_leaves_while_its_request_waits_outside_takes_no_slot_with_it() -> None:
    async def scenario() -> None:
        slots, asking = WorkSlots(1, 1), Asking()
        request = asyncio.create_task(Admission(asking, slots)(REQUEST, _empty_body, _ignored))
        await asyncio.to_thread(asking.outside.wait, 10)
        assert slots.full  # who waits outside is inside still
        request.cancel()
        await asyncio.gather(request, return_exceptions=True)
        asking.answered.set()
        await asyncio.to_thread(asking.came_back.wait, 10)
        assert (slots.working, slots.full) == (0, False)

    asyncio.run(scenario())


def test_waiting_outside_of_a_request_holds_nobody_up() -> None:
    with waiting_outside():
        pass


async def _empty_body() -> Message:
    return {"type": "http.request", "body": b""}


async def _ignored(message: Message) -> None:
    """A client that takes everything."""
