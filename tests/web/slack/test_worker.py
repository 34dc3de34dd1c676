"""What is asked in Slack is done beside everything else, and nobody is left without a word."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from web.admission import WorkSlots
from web.serving.draining import Drain
from web.slack.errors import Declined, Undelivered
from web.slack.messages import Message, plain_message
from web.slack.worker import BUSY, FAILED, INTERRUPTED, Job, JobWorker

ANSWER = plain_message("answer")


@dataclass
class Asker:
    """Asks once; `gate` holds the answer back."""

    told: list[Message] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)

    def job(self, raises: Exception | None = None) -> Job:
        def work() -> Message:
            self.begun.set()
            assert self.gate.wait(20)
            if raises:
                raise raises
            return ANSWER

        return Job(work, self.told.append, self.told.append)

    def at_once(self) -> Asker:
        self.gate.set()
        return self


def run(scenario: Callable[[JobWorker, WorkSlots], Awaitable[None]], **options: int) -> None:
    """Runs a scenario with a worker that is at work, and stops it."""

    async def whole() -> None:
        slots = WorkSlots(2, 64)
        worker = JobWorker(slots, Drain(), **options)
        async with worker.working():
            await scenario(worker, slots)

    asyncio.run(whole())


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


def test_never_more_is_computed_than_there_are_turns() -> None:
    askers = [Asker() for _ in range(6)]

    async def scenario(worker: JobWorker, slots: WorkSlots) -> None:
        assert all(worker.offer(asker.job()) for asker in askers)
        await until(lambda: sum(asker.begun.is_set() for asker in askers) == 2)
        await asyncio.sleep(0.05)
        assert sum(asker.begun.is_set() for asker in askers) == 2
        for asker in askers:
            asker.gate.set()
        await until(lambda: all(asker.told for asker in askers))

    run(scenario)
    assert [asker.told for asker in askers] == [[ANSWER]] * 6


def test_a_slow_slack_holds_up_no_computing() -> None:
    slow, asker = threading.Event(), Asker().at_once()

    async def scenario(worker: JobWorker, slots: WorkSlots) -> None:
        def send(message: Message) -> None:
            slow.wait(20)

        for _ in range(4):
            worker.offer(Job(lambda: ANSWER, send, send))
        worker.offer(asker.job())
        await until(lambda: asker.told)
        slow.set()

    run(scenario)


def test_a_full_queue_says_no_and_tells_the_asker() -> None:
    busy = [Asker() for _ in range(4)]
    late = Asker()

    async def scenario(worker: JobWorker, slots: WorkSlots) -> None:
        for asker in busy[:2]:
            assert worker.offer(asker.job())
        await until(lambda: all(asker.begun.is_set() for asker in busy[:2]))
        assert worker.offer(busy[2].job())
        assert worker.offer(busy[3].job())
        assert not worker.offer(late.job())
        assert not worker.offer_or_tell(late.job())
        await until(lambda: late.told)
        for asker in busy:
            asker.gate.set()
        await until(lambda: all(asker.told for asker in busy))

    run(scenario, waiting=2, at_once=2)
    assert late.told == [BUSY]
    assert [asker.told for asker in busy] == [[ANSWER]] * 4


def test_whoever_waits_when_the_server_stops_is_told_to_ask_again() -> None:
    askers = [Asker() for _ in range(20)]

    async def scenario(worker: JobWorker, slots: WorkSlots) -> None:
        for asker in askers:
            assert worker.offer(asker.job())
        await until(lambda: sum(asker.begun.is_set() for asker in askers) == 2)

    run(scenario)
    for asker in askers:
        asker.gate.set()
    assert [asker.told for asker in askers] == [[INTERRUPTED]] * 20


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (Declined("No article carries this tag."), plain_message("No article carries this tag.")),
        (ValueError("a secret question"), FAILED),
        (RecursionError(), FAILED),
    ],
)
def test_a_failure_is_told_and_the_next_is_answered(
    raised: Exception, told: Message, caplog: pytest.LogCaptureFixture
) -> None:
    failing, next_one = Asker().at_once(), Asker().at_once()

    async def scenario(worker: JobWorker, slots: WorkSlots) -> None:
        worker.offer(failing.job(raised))
        await until(lambda: failing.told)
        worker.offer(next_one.job())
        await until(lambda: next_one.told)

    run(scenario, at_once=1)
    assert (failing.told, next_one.told) == ([told], [ANSWER])
    assert "secret" not in caplog.text


@pytest.mark.parametrize("raised", [Undelivered("Slack refused a message (token_revoked)"), OSError("xoxb-1 broke")])
def test_a_message_that_cannot_be_sent_is_logged_without_a_secret(
    raised: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    next_one = Asker().at_once()

    def send(message: Message) -> None:
        raise raised

    async def scenario(worker: JobWorker, slots: WorkSlots) -> None:
        worker.offer(Job(lambda: ANSWER, send, send))
        worker.offer(next_one.job())
        await until(lambda: next_one.told)

    run(scenario, at_once=1)
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1
    assert "xoxb" not in caplog.text
