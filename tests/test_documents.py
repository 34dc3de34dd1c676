"""What the documents claim is run: targets, commands, settings, figures, names, files and links."""

from __future__ import annotations

import ast
import re
import shlex
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

from qa.commands import in_words
from qa.types import Question
from tests.conftest import ROOT, Site
from tests.web.access.test_access_table import TABLE
from web.admission import WorkSlots
from web.app import create_app
from web.cli import parser
from web.settings import Settings

DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
LINE_BUDGETS = {"README.md": 120, "ARCHITECTURE.md": 150}
PACKAGES = ("indexes", "ingest", "qa", "web")
IDENTIFIER = r"[A-Za-z_]\w*(?:\.\w+)?"
FILE_OF_PACKAGE = rf"(?:{'|'.join(PACKAGES)})/[\w/]+\.py"


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def everything() -> str:
    return "\n".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)


def code_lines(*languages: str) -> list[str]:
    fences = re.findall(r"^```(\w+)\n(.*?)^```", everything(), re.MULTILINE | re.DOTALL)
    text = "\n".join(body for language, body in fences if language in languages).replace("\\\n", " ")
    return [line.split("  #")[0].removeprefix("$ ").strip() for line in text.splitlines()]


def commands() -> set[str]:
    (subparsers,) = [action.choices for action in parser()._subparsers._group_actions]  # type: ignore[union-attr]
    return set(subparsers)  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "lines"), LINE_BUDGETS.items())
def test_a_page_keeps_to_its_budget_of_lines(name: str, lines: int) -> None:
    assert len(text_of(name).splitlines()) <= lines


def test_the_two_commands_of_the_readme_are_serve_and_test() -> None:
    assert re.findall(r"^make (\w+)", text_of("README.md"), re.MULTILINE) == ["serve", "test"]


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([\w-]+):", text_of("Makefile"), re.MULTILINE))
    inline = re.findall(r"`(?:[A-Z]+=\S+ )*make ([\w-]+)", everything())
    blocks = re.findall(r"^(?: {4})?(?:[A-Z]+=\S+ )*make ([\w-]+)", everything(), re.MULTILINE)
    assert {*inline, *blocks} <= targets


def test_every_benchmark_that_is_named_exists() -> None:
    named = {module.replace(".", "/") for module in re.findall(r"python -m (benchmarks[.\w]+)", everything())}
    assert len(named) > 10
    assert [n for n in named if not ((ROOT / f"{n}.py").exists() or (ROOT / n / "__main__.py").exists())] == []


def test_ci_runs_the_test_command_of_the_readme() -> None:
    assert "make test" in text_of(".ci/run").splitlines()


def test_every_footnote_command_of_a_code_block_parses() -> None:
    lines = [line for line in code_lines("bash", "console") if line.startswith("footnote ")]
    assert len(lines) >= 10
    for line in lines:
        parser().parse_args(shlex.split(line)[1:])


def test_every_footnote_command_of_a_sentence_exists() -> None:
    assert set(re.findall(r"`footnote ([a-z]+)", everything())) <= commands()


def test_the_list_of_commands_is_complete() -> None:
    section = text_of("docs/commands.md").split("## Commands")[1].split("Each has")[0]
    assert set(re.findall(r"`(?:footnote )?([a-z]+)[^`]*`", section)) == commands()


def test_the_settings_table_is_complete_and_its_defaults_are_true() -> None:
    rows = re.findall(r"^\| (`FOOTNOTE_[^|]+) \| ([^|]*) \|", text_of("docs/commands.md"), re.MULTILINE)
    documented: dict[str, str] = {}
    for names, defaults in rows:
        keys, values = re.findall(r"FOOTNOTE_(\w+)", names), re.findall(r"`([^`]*)`", defaults)
        documented.update(zip(keys, values or [""], strict=True))
    actual = {name.upper(): str(field.default) for name, field in Settings.model_fields.items()}
    assert documented == actual


def test_every_setting_that_is_named_exists() -> None:
    assert set(re.findall(r"FOOTNOTE_(\w+)", everything())) <= {name.upper() for name in Settings.model_fields}


def figure_rows() -> list[tuple[str, str]]:
    """(figures, page) of each row of the README's table of figures."""
    return re.findall(r"^\|[^|]+\| ([^|]*\d[^|]*) \| \[\w+\]\(([^)]+)\) \|$", text_of("README.md"), re.MULTILINE)


def test_the_readme_has_figures() -> None:
    assert len(figure_rows()) >= 6


@pytest.mark.parametrize(("figures", "page"), figure_rows())
def test_a_figure_of_the_readme_is_in_the_page_it_names(figures: str, page: str) -> None:
    measured = set(numbers(text_of(page)))
    assert [number for number in numbers(figures) if number not in measured] == []


def numbers(text: str) -> list[str]:
    return re.findall(r"\d+(?:[.,]\d+)*", re.sub(r"\bp(50|95|99)\b", "", text))


def test_the_curl_example_is_answered(site: Site) -> None:
    (body,) = re.findall(r"-d '(\{.*\})'", text_of("docs/api.md"))
    response = site.client.post(
        "/api/v1/ask", content=body.replace("JWT", "auth"), headers={"content-type": "application/json"}
    )
    assert response.json()["answered"] is True


def test_the_terminal_example_is_what_the_bundled_kb_answers(kb_site: Site) -> None:
    ((question, shown),) = re.findall(r'\$ footnote ask "([^"]+)"\n(.*?)\n```', text_of("docs/commands.md"), re.DOTALL)
    answer = kb_site.services.answerer.ask(Question(question))
    assert in_words(answer) == shown


def test_the_routes_of_the_api_page_are_served() -> None:
    table = text_of("docs/api.md").split("| route | |")[1]
    cells = re.findall(r"^\| ([^|]*) \|", table, re.MULTILINE)
    named = {path.removesuffix(".md") for cell in cells for path in re.findall(r"(/[\w./{}-]+)", cell)}
    served = {re.sub(r"{[^}]+}", "{id}", path) for _, path in TABLE}  # the table of who may call what has every route
    assert [path for path in named if not {path, f"/api/v1{path}"} & served] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_and_named_files_of_the_documents_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)", text):
        file = document.parent / target if target else document
        assert file.exists(), target
        if anchor and file.suffix == ".md":
            assert anchor in anchors(file), f"{target}#{anchor}"
    for name in re.findall(r"`((?:indexes|ingest|qa|web|tests|docs|benchmarks)/[\w./-]+)`", text):
        assert (ROOT / name).exists(), name


def anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@cache
def names_of(path: Path) -> frozenset[str]:
    """The classes, functions, constants and `Class.method` that a module defines."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            names.add(node.name)
            names |= {
                f"{node.name}.{n.name}" for n in node.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
            }
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return frozenset(names)


def named_with_a_file() -> list[tuple[str, str]]:
    """(file, name) wherever a document says "`Name` (`file`)", "`Name` in `file`" or "`file` (`Name`)"."""
    text = re.sub(r"\s+", " ", everything())
    before = re.findall(rf"`({IDENTIFIER})`(?: in | \()`({FILE_OF_PACKAGE})`", text)
    after = re.findall(rf"`({FILE_OF_PACKAGE})` \(`({IDENTIFIER})`", text)
    cells = re.findall(rf"^\| \*\*(\w+)\*\* \|.*\| `({FILE_OF_PACKAGE})` \|$", text_of("ARCHITECTURE.md"), re.MULTILINE)
    return sorted({(file, name) for name, file in [*before, *cells]} | set(after))


def test_the_documents_name_many_parts() -> None:
    assert len(named_with_a_file()) >= 25


@pytest.mark.parametrize(("file", "name"), named_with_a_file())
def test_a_part_that_is_named_with_a_file_is_in_it(file: str, name: str) -> None:
    assert name in names_of(ROOT / file)


@pytest.mark.parametrize("document", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_every_class_that_is_named_exists(document: str) -> None:
    defined = {name for package in PACKAGES for path in (ROOT / package).rglob("*.py") for name in names_of(path)}
    named = re.findall(r"`([A-Z][a-z]\w+(?:\.\w+)?)`", text_of(document))
    assert set(named) - defined - set(documented_middleware()) - {"None"} == set()


def documented_middleware() -> list[str]:
    section = text_of("ARCHITECTURE.md").split("## Where a request goes")[1].split("\n## ")[0]
    return re.findall(r"^\d+\. `(\w+)`", section, re.MULTILINE)


def tables_of_contents() -> list[tuple[Path, list[str]]]:
    """Packages whose docstring lists modules, one a line, with what it lists."""
    tables = []
    for file in sorted(file for package in PACKAGES for file in (ROOT / package).rglob("__init__.py")):
        docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
        if listed := re.findall(r"^(\w+)/?  +\S", docstring, re.MULTILINE):
            tables.append((file.parent.relative_to(ROOT), listed))
    return tables


@pytest.mark.parametrize(("package", "listed"), tables_of_contents(), ids=lambda value: str(value)[:30])
def test_a_table_of_contents_lists_what_is_in_its_package(package: Path, listed: list[str]) -> None:
    modules = {path.stem for path in (ROOT / package).glob("*.py")} - {"__init__", "__main__"}
    packages = {path.parent.name for path in (ROOT / package).glob("*/__init__.py")}
    assert sorted(listed) == sorted(modules | packages)


def test_requests_pass_the_middleware_in_the_order_of_the_architecture(tiny_site: Site) -> None:
    services = tiny_site.services
    app = create_app(services, 1000, WorkSlots(1, 1), widget_origins=["https://widgets.example"])
    assert documented_middleware() == [middleware.cls.__name__ for middleware in app.user_middleware]  # type: ignore[attr-defined]


def test_the_files_of_a_snapshot_are_those_of_the_architecture(kb_index: Path) -> None:
    section = text_of("ARCHITECTURE.md").split("## Stored form")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]+`) \|", section, re.MULTILINE)
    documented = [name for row in rows for name in re.findall(r"`([^`]+)`", row)]
    generation = kb_index / (kb_index / "CURRENT").read_text(encoding="utf-8").strip()
    stored = [path.name for path in generation.iterdir()]
    assert len(stored) > 3
    assert [name for name in stored if not any(fnmatch(name, pattern) for pattern in documented)] == []
