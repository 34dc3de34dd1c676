"""What is remembered of past ingests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from indexes.snapshots.ingest_log import FILE, IngestRecord, past, remember

FIRST = IngestRecord("2026-03-30T10:00:00+00:00", "000001", ("kb",), 52, 52, 0, 0, 1, (("kb/a.md", "empty"),), 400, 9.5)


def test_the_newest_ingest_comes_first(tmp_path: Path) -> None:
    second = replace(FIRST, generation="000002", added=1, reasons=())
    remember(tmp_path, FIRST)
    remember(tmp_path, second)
    assert past(tmp_path) == [second, FIRST]
    assert past(tmp_path, 1) == [second]


def test_an_index_without_a_history_has_none(tmp_path: Path) -> None:
    assert past(tmp_path) == []


def test_an_ingest_that_changed_nothing_is_remembered_only_if_other_files_were_skipped(tmp_path: Path) -> None:
    idle = replace(FIRST, generation="")
    remember(tmp_path, FIRST)
    remember(tmp_path, idle)
    assert past(tmp_path) == [FIRST]
    broken = replace(idle, reasons=(("kb/b.md", "no title"),))
    remember(tmp_path, broken)
    remember(tmp_path, broken)
    assert past(tmp_path) == [broken, FIRST]


def test_a_line_that_was_never_finished_costs_only_itself(tmp_path: Path) -> None:
    remember(tmp_path, FIRST)
    with (tmp_path / FILE).open("a", encoding="utf-8") as file:
        file.write('{"finished": "2026-\n[]\n{"reasons": 7}\n')
    assert past(tmp_path) == [FIRST]


def test_a_line_that_a_crash_cut_off_does_not_cost_the_next_one(tmp_path: Path) -> None:
    second = replace(FIRST, generation="000002", added=1)
    remember(tmp_path, FIRST)
    with (tmp_path / FILE).open("a", encoding="utf-8") as file:
        file.write('{"finished": "2026-')
    remember(tmp_path, second)
    assert past(tmp_path) == [second, FIRST]


def test_an_ingest_does_not_fail_for_its_history(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    remember(tmp_path, FIRST)


def test_the_file_is_cut_back_to_the_newest_ingests(tmp_path: Path) -> None:
    for number in range(202):
        remember(tmp_path, replace(FIRST, generation=f"{number:06d}"))
    lines = (tmp_path / FILE).read_text(encoding="utf-8").splitlines()
    assert len(lines) == 101
    assert '"generation": "000201"' in lines[-1]
