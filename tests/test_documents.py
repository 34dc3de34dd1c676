"""What the documents claim is run: targets, commands, settings, files and links."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from qa.commands import in_words
from qa.types import Question
from tests.conftest import ROOT, Site
from web.cli import parser
from web.settings import Settings

README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def code_lines(*languages: str) -> list[str]:
    fences = re.findall(r"^```(\w+)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    text = "\n".join(body for language, body in fences if language in languages).replace("\\\n", " ")
    return [line.split("  #")[0].removeprefix("$ ").strip() for line in text.splitlines()]


def test_every_make_target_of_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = [line.split()[1] for line in code_lines("bash") if line.startswith("make ")]
    assert {"serve", "test"} <= set(targets)
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_ci_runs_the_test_command_of_the_readme() -> None:
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


def test_every_footnote_command_of_the_readme_parses() -> None:
    commands = [line for line in code_lines("bash", "console") if line.startswith("footnote ")]
    assert len(commands) >= 3
    for line in commands:
        parser().parse_args(shlex.split(line)[1:])


def test_the_commands_named_in_the_readme_are_those_there_are() -> None:
    section = README.split("## Commands")[1].split("Each has")[0]
    named = set(re.findall(r"`(?:footnote )?([a-z]+)[^`]*`", section))
    (commands,) = [action.choices for action in parser()._subparsers._group_actions]  # type: ignore[union-attr]
    assert named == set(commands)  # type: ignore[arg-type]


def test_the_settings_table_is_complete_and_its_defaults_are_true() -> None:
    rows = re.findall(r"^\| (`FOOTNOTE_[^|]+) \| ([^|]*) \|", README, re.MULTILINE)
    documented: dict[str, str] = {}
    for names, defaults in rows:
        keys, values = re.findall(r"FOOTNOTE_(\w+)", names), re.findall(r"`([^`]*)`", defaults)
        documented.update(zip(keys, values or [""], strict=True))
    actual = {name.upper(): str(field.default) for name, field in Settings.model_fields.items()}
    assert documented == actual


def test_the_curl_example_of_the_readme_is_answered(site: Site) -> None:
    (body,) = re.findall(r"-d '(\{.*\})'", README)
    response = site.client.post(
        "/api/v1/ask", content=body.replace("JWT", "auth"), headers={"content-type": "application/json"}
    )
    assert response.json()["answered"] is True


def test_the_terminal_example_of_the_readme_is_what_the_bundled_kb_answers(kb_site: Site) -> None:
    ((question, shown),) = re.findall(r'\$ footnote ask "([^"]+)"\n(.*?)\n```', README, re.DOTALL)
    answer = kb_site.services.answerer.ask(Question(question))
    assert in_words(answer) == shown


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_and_named_files_of_the_documents_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (document.parent / target).exists(), target
    for name in re.findall(r"`((?:indexes|ingest|qa|web|tests|docs|benchmarks)/[\w./-]+)`", text):
        assert (ROOT / name).exists(), name
