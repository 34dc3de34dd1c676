from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from qa.conversing import Conversations
from qa.errors import UnknownConversation
from qa.journal import Journal
from qa.types import Question
from tests.conftest import Site


def test_a_conversation_remembers_its_turns_in_order(site: Site) -> None:
    first = site.services.conversations.ask(Question("How are refresh tokens rotated?"))
    second = site.services.conversations.ask(Question("and when one is used twice?"), first.conversation_id)
    turns = site.services.conversations.turns(first.conversation_id)
    assert second.conversation_id == first.conversation_id
    assert [t.text for t in turns if t.role == "user"] == [
        "How are refresh tokens rotated?",
        "and when one is used twice?",
    ]


def test_a_conversation_that_was_never_held_is_refused(site: Site) -> None:
    with pytest.raises(UnknownConversation, match="leave conversation_id out"):
        site.services.conversations.ask(Question("hello?"), "nonesuch")


def test_conversations_survive_a_restart(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "own" / "journal.sqlite"
    journal = Journal(path)
    exchange = Conversations(site.services.answerer, journal).ask(Question("How are logs written?"))
    journal.close()
    reopened = Journal(path)
    assert reopened.history(exchange.conversation_id)[0].text == "How are logs written?"
    reopened.close()


def test_the_schema_is_numbered_so_that_later_versions_can_migrate_it(tmp_path: Path) -> None:
    Journal(tmp_path / "journal.sqlite").close()
    (version,) = sqlite3.connect(tmp_path / "journal.sqlite").execute("PRAGMA user_version").fetchone()
    assert version == 1
