from __future__ import annotations

import pytest

from qa.reading.missing import missing_notes, unmentioned
from tests.conftest import Site


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("How do I lock the state of Terraform?", ["Terraform"]),
        ("Does it work with PostgreSQL and MySQL 8.4?", ["PostgreSQL", "MySQL"]),
        ("What does ETag do?", []),  # an article mentions it
        ("Somehow nothing works", []),  # a capital that only opens the sentence
        ("why is sha256 slower?", ["sha256"]),
        ("Did it break last Friday, or in May?", []),
        ("how do i retry on oracle", []),  # not written like a name: nobody can tell
        ("", []),
    ],
)
def test_names_are_words_written_like_names_that_occur_in_no_article(
    tiny_site: Site, question: str, names: list[str]
) -> None:
    assert unmentioned(question, tiny_site.services.store.current().vocabulary) == tuple(names)


def test_a_name_in_a_part_that_is_missing_is_not_said_twice() -> None:
    notes = missing_notes(["how do I lock Terraform?"], ["Terraform"])
    assert notes == ("The knowledge base does not say: how do I lock Terraform?",)
