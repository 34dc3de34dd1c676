"""SECURITY.md names a test for what it promises, and every requirement of ASVS 5.0.0's level 1 once."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT

TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)))
# Those marked 1 in the list that OWASP publishes with version 5.0.0.
LEVEL_1 = set(
    "1.2.1 1.2.2 1.2.3 1.2.4 1.2.5 1.3.1 1.3.2 1.5.1 2.1.1 2.2.1 2.2.2 2.3.1 3.2.1 3.2.2 3.3.1 3.4.1 3.4.2 3.5.1 3.5.2 "
    "3.5.3 4.1.1 4.4.1 5.2.1 5.2.2 5.3.1 5.3.2 6.1.1 6.2.1 6.2.2 6.2.3 6.2.4 6.2.5 6.2.6 6.2.7 6.2.8 6.3.1 6.3.2 6.4.1 "
    "6.4.2 7.2.1 7.2.2 7.2.3 7.2.4 7.4.1 7.4.2 8.1.1 8.2.1 8.2.2 8.3.1 9.1.1 9.1.2 9.1.3 9.2.1 10.4.1 10.4.2 10.4.3 "
    "10.4.4 10.4.5 11.3.1 11.3.2 11.4.1 12.1.1 12.2.1 12.2.2 13.4.1 14.2.1 14.3.1 15.1.1 15.2.1 15.3.1".split()
)
RANGES = {
    "6.2.1 to 6.2.8": [f"6.2.{n}" for n in range(1, 9)],
    "9.1.1 to 9.2.1": ["9.1.1", "9.1.2", "9.1.3", "9.2.1"],
    "10.4.1 to 10.4.5": [f"10.4.{n}" for n in range(1, 6)],
}


def test_the_document_names_many_tests() -> None:
    assert len(NAMED) > 30


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_test_that_is_named_exists(path: str, name: str) -> None:
    assert re.search(rf"^def {name}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)


def test_every_requirement_of_level_1_is_spoken_of() -> None:
    section = TEXT.split("level 1\n", 1)[1].split("Above level 1")[0]
    named = set(re.findall(r"\b\d+\.\d+\.\d+\b", section)) - {"5.0.0"}
    for text, meant in RANGES.items():
        assert text in section
        named |= set(meant)
    assert named == LEVEL_1


def test_every_row_of_the_table_names_a_test() -> None:
    rows = re.findall(r"^\| \d.*$", TEXT, re.MULTILINE)
    assert len(rows) > 30
    assert [row for row in rows if "::test_" not in row] == []
