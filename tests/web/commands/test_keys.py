"""`footnote keys`, as a shell runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from web.access.keys import Keys
from web.access.sqlite_keys import SqliteKeyStore
from web.cli import main


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FOOTNOTE_KEYS", str(tmp_path / "keys.sqlite"))
    return tmp_path / "keys.sqlite"


def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_a_key_is_shown_once_listed_without_its_secret_and_revoked(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = ["keys", "create", "--name", "build robot", "--scope", "ask", "--group", "payments", "--expires", "12h"]
    assert main([*made, "--json"]) == 0
    created = printed(capsys)
    assert (created["name"], created["scopes"], created["groups"]) == ("build robot", ["ask"], ["payments"])
    keys = Keys(SqliteKeyStore(path))
    assert keys.of(created["key"]).id == created["id"]
    keys.close()

    assert main(["keys", "list"]) == 0
    shown = capsys.readouterr().out
    assert f"{created['id']}  usable   build robot  (ask; payments; expires " in shown
    assert created["key"].rsplit("_")[-1] not in shown

    assert main(["keys", "revoke", created["id"]]) == 0
    assert "refused from now on" in capsys.readouterr().out
    assert main(["keys", "list", "--json"]) == 0
    assert [key["state"] for key in printed(capsys)["keys"]] == ["revoked"]


def test_a_key_may_ask_read_and_judge_for_90_days_unless_told_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "create", "--name", "x"]) == 0
    key, _, about = capsys.readouterr().out.partition("\n")
    assert key.startswith("fn_")
    assert "not shown again" in about
    assert "it may ask, read, feedback, until 20" in about
    assert main(["keys", "create", "--name", "y", "--expires", "never"]) == 0
    assert "for as long as it is not revoked" in capsys.readouterr().out


def test_a_key_that_is_not_there_cannot_be_revoked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "revoke", "nonesuch"]) == 1
    assert "footnote: There is no key 'nonesuch'" in capsys.readouterr().err
    assert main(["keys", "list"]) == 0
    assert capsys.readouterr().out == "There are no keys yet.\n"


@pytest.mark.parametrize(
    "wrong",
    [
        ["--scope", "everything"],
        ["--expires", "0d"],
        ["--expires", "90"],
        ["--expires", "d"],
        ["--name", " "],
        ["--group", "a\nb"],
    ],
)
def test_a_wrong_option_is_a_usage_error(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        main(["keys", "create", "--name", "x", *wrong])
    assert exit.value.code == 2
    assert "must be" in capsys.readouterr().err or "--scope" in wrong


def test_a_file_that_cannot_be_used_is_a_failure(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.write_text("no database " * 100)
    assert main(["keys", "list", "--json"]) == 1
    assert "FOOTNOTE_KEYS" in printed(capsys)["error"]
