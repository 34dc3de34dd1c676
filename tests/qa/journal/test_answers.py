"""Answers and feedback in the journal: whose they are, what is deleted, and what happens when the file fails."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from indexes.types import Filter
from qa.conversations import Conversations
from qa.corpus import Corpus
from qa.errors import JournalUnavailable, UnknownAnswer, UnknownConversation
from qa.journal.records import Feedback
from qa.journal.sqlite.journal import SqliteJournal
from qa.types import Answer, Question
from tests.conftest import Site
from tests.scripted import closest_answer, excerpt_answer

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "own" / "journal.sqlite"


@pytest.fixture
def journal(path: Path) -> Iterator[SqliteJournal]:
    journal = SqliteJournal(path)
    yield journal
    journal.close()


@pytest.fixture
def conversations(tiny_site: Site, journal: SqliteJournal) -> Conversations:
    return Conversations(tiny_site.services.answerer, journal.answers)


def test_a_conversation_remembers_its_turns_in_order(conversations: Conversations) -> None:
    first = conversations.ask(Question("How are refresh tokens rotated?"))
    second = conversations.ask(Question("and when one is used twice?"), first.conversation_id)
    turns = conversations.turns(first.conversation_id)
    assert second.conversation_id == first.conversation_id
    assert [t.text for t in turns if t.role == "user"] == [
        "How are refresh tokens rotated?",
        "and when one is used twice?",
    ]


def test_a_conversation_that_was_never_held_is_refused(conversations: Conversations) -> None:
    with pytest.raises(UnknownConversation, match="leave conversation_id out"):
        conversations.ask(Question("hello?"), "nonesuch")


def test_conversations_survive_a_restart(conversations: Conversations, journal: SqliteJournal, path: Path) -> None:
    exchange = conversations.ask(Question("How are logs written?"))
    journal.close()
    reopened = SqliteJournal(path)
    assert reopened.answers.conversation(exchange.conversation_id, "")[0].answer.question == "How are logs written?"
    reopened.close()


def test_a_conversation_is_there_for_its_owner_alone(conversations: Conversations, journal: SqliteJournal) -> None:
    asked = conversations.ask(Question("How are logs written?"), owner="key:one")
    id, answer_id = asked.conversation_id, asked.answer.answer_id
    for other in ("key:two", ""):
        for refused in (conversations.turns, conversations.records, conversations.delete):
            with pytest.raises(UnknownConversation):
                refused(id, other)
        with pytest.raises(UnknownConversation):
            conversations.ask(Question("and then?"), id, other)
        with pytest.raises(UnknownAnswer):
            conversations.give_feedback(answer_id, Feedback(True), other)
    assert conversations.answer(answer_id).owner == "key:one"  # an answer is for sharing
    conversations.ask(Question("and then?"), id, "key:one")
    conversations.give_feedback(answer_id, Feedback(True), "key:one")
    assert len(conversations.records(id, "key:one")) == 2
    conversations.delete(id, "key:one")


def test_an_answer_kept_without_a_look_at_its_conversation_joins_no_other(
    conversations: Conversations, journal: SqliteJournal
) -> None:
    asked = conversations.ask(Question("How are logs written?"), owner="key:one")
    conversations.reply(
        Question("and then?"), asked.conversation_id, "key:two"
    )  # as when the history could not be read
    assert [record.owner for record in conversations.records(asked.conversation_id, "key:one")] == ["key:one"]
    assert [record.owner for record in conversations.records(asked.conversation_id, "key:two")] == ["key:two"]


def test_an_answer_is_kept_whole_with_its_footnotes(conversations: Conversations) -> None:
    asked = conversations.ask(Question("How are refresh tokens rotated?", Filter(("auth",), "all")))
    record = conversations.answer(asked.answer.answer_id)
    assert record.answer == replace(asked.answer, passages=())
    assert record.answer.citations
    assert (record.conversation_id, record.filter) == (asked.conversation_id, Filter(("auth",), "all"))
    assert conversations.records(asked.conversation_id) == (record,)


@pytest.mark.parametrize("made", [excerpt_answer, closest_answer])
def test_the_words_that_answer_the_closest_passages_and_other_sections_are_kept(
    tiny_site: Site, journal: SqliteJournal, made: Callable[[Corpus], Answer]
) -> None:
    answer = made(tiny_site.services.store.current())
    journal.answers.record("c", answer, Filter(), "")
    assert journal.answers.answer(answer.answer_id).answer == answer


def test_an_answer_kept_by_an_earlier_version_has_none_of_them(
    tiny_site: Site, journal: SqliteJournal, path: Path
) -> None:
    answer = excerpt_answer(tiny_site.services.store.current())
    journal.answers.record("c", answer, Filter(), "")
    with sqlite3.connect(path) as db:
        db.execute(
            "UPDATE answers SET document = json_remove(document, '$.closest', '$.elsewhere', '$.citations[0].key')"
        )
    db.close()
    kept = journal.answers.answer(answer.answer_id).answer
    assert kept == replace(answer, elsewhere=(), citations=(replace(answer.citations[0], key=()),))


def test_the_closest_passages_count_as_considered_and_not_as_cited(tiny_site: Site, journal: SqliteJournal) -> None:
    journal.answers.record("c", closest_answer(tiny_site.services.store.current()), Filter(), "")
    (question,) = journal.answers.asked_since(LONG_AGO)
    assert (question.kind, question.cited) == ("closest", ())
    assert question.retrieved == ("retries", "logging", "tokens", "caching", "guides/deploying")


def test_feedback_is_kept_with_its_answer_and_may_be_changed(conversations: Conversations) -> None:
    asked = conversations.ask(Question("How are logs written?"))
    conversations.give_feedback(asked.answer.answer_id, Feedback(True))
    conversations.give_feedback(asked.answer.answer_id, Feedback(False, "out of date", "we use OTLP now"))
    assert conversations.answer(asked.answer.answer_id).feedback == Feedback(False, "out of date", "we use OTLP now")
    with pytest.raises(UnknownAnswer, match="no answer with this id"):
        conversations.give_feedback("nonesuch", Feedback(True))


def test_the_statistics_tell_answers_refusals_and_courtesies_apart(
    conversations: Conversations, journal: SqliteJournal
) -> None:
    answered = conversations.ask(Question("How long does an access token live?")).answer
    refused = conversations.ask(Question("What is the capital of Mongolia?")).answer
    conversations.ask(Question("Hello!"))
    conversations.give_feedback(answered.answer_id, Feedback(True))
    first, second, third = journal.answers.asked_since(LONG_AGO)
    assert [first.kind, second.kind, third.kind] == ["answer", "refusal", "courtesy"]
    assert first.cited == ("tokens",)
    assert (first.feedback, second.feedback) == (Feedback(True), None)
    assert second.nearest == refused.passages[0].article.id
    assert (second.cited, third.nearest) == ((), "")
    assert journal.answers.asked_since(datetime.now(UTC) + timedelta(minutes=1)) == ()


def test_what_is_deleted_is_gone_from_the_file(
    conversations: Conversations, journal: SqliteJournal, path: Path
) -> None:
    secret = "the zanzibar gateway " * 150  # over a page, so that it overflows
    asked = conversations.ask(Question(f"What of {secret}?"))
    conversations.give_feedback(asked.answer.answer_id, Feedback(False, "", "zanzibar is wrong"))
    other = conversations.ask(Question("How are logs written?"))
    assert "zanzibar" in on_disk(path)
    conversations.delete(asked.conversation_id)
    assert "zanzibar" not in on_disk(path)
    assert "How are logs written" in on_disk(path)
    assert conversations.turns(other.conversation_id)
    with pytest.raises(UnknownConversation):
        conversations.delete(asked.conversation_id)
    with pytest.raises(UnknownConversation):
        conversations.turns(asked.conversation_id)
    with pytest.raises(UnknownAnswer):
        conversations.answer(asked.answer.answer_id)


def test_answers_are_kept_and_deleted_while_the_log_is_settled(conversations: Conversations, path: Path) -> None:
    def ask(number: int) -> str:
        return conversations.ask(Question(f"Where is zanzibar {number}?")).conversation_id

    with ThreadPoolExecutor(4) as people:
        asked = [people.submit(ask, number) for number in range(40)]
        while not all(one.done() for one in asked):
            conversations.settle()
    conversations.settle()
    assert "zanzibar 39" in path.read_bytes().decode("utf-8", "replace")
    for number, one in enumerate(asked):
        assert conversations.turns(one.result())[0].text == f"Where is zanzibar {number}?"
    with ThreadPoolExecutor(4) as people:
        deleted = [people.submit(conversations.delete, one.result()) for one in asked]
        while not all(one.done() for one in deleted):
            ask(40)
            conversations.settle()
    assert [one.exception() for one in deleted] == [None] * 40
    assert "zanzibar 39" not in on_disk(path)


def test_what_the_retention_no_longer_allows_is_deleted(conversations: Conversations, path: Path) -> None:
    old, new = (conversations.ask(Question(f"How are {what} written?")) for what in ("zanzibars", "logs"))
    with sqlite3.connect(path) as db:
        a_hundred_days_ago = (datetime.now(UTC) - timedelta(days=100)).isoformat()
        db.execute("UPDATE answers SET asked = ? WHERE answer_id = ?", (a_hundred_days_ago, old.answer.answer_id))
    db.close()
    assert conversations.forget() == 1
    assert "zanzibar" not in on_disk(path)
    assert conversations.turns(new.conversation_id)


def test_a_question_is_answered_while_another_process_holds_the_file(conversations: Conversations, path: Path) -> None:
    first = conversations.ask(Question("How are refresh tokens rotated?"))
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    second = conversations.ask(Question("and when one is used twice?"), first.conversation_id)
    assert second.answer.answered
    assert second.answer.degraded == ("journal",)
    holder.execute("ROLLBACK")
    holder.close()
    assert conversations.ask(Question("How are logs written?")).answer.degraded == ()


def test_a_question_is_answered_when_the_disk_is_full(conversations: Conversations, journal: SqliteJournal) -> None:
    # SQLite answers "database or disk is full" at this bound exactly as it does for ENOSPC.
    with journal._file.reading() as db:
        (pages,) = db.execute("PRAGMA page_count").fetchone()
        db.execute(f"PRAGMA max_page_count = {pages}")
    answers = [conversations.ask(Question("How are refresh tokens rotated?")).answer for _ in range(20)]
    assert all(answer.answered for answer in answers)
    assert answers[-1].degraded == ("journal",)


def test_a_file_that_is_no_journal_is_refused_with_what_to_do(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("not a database, but long enough to be read as one. " * 40)
    with pytest.raises(JournalUnavailable, match="FOOTNOTE_JOURNAL"):
        SqliteJournal(path)


def on_disk(path: Path) -> str:
    return "".join(file.read_bytes().decode("utf-8", "replace") for file in path.parent.glob(f"{path.name}*"))
