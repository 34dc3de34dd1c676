"""Who imports whom: the four packages each other, and the places inside each package."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.conftest import ROOT
from web.cli import MODULES

MAY_IMPORT = {
    "indexes": {"indexes"},
    "ingest": {"ingest", "indexes"},
    "qa": {"qa", "indexes"},
    "web": {"web", "qa", "indexes"},
}
COMPOSITION = (Path("web/cli.py"), Path("web/composition.py"), Path("web/commands"))  # these may import all four

# What lies lower imports nothing that lies higher. Files and subpackages that are not named stand beside these.
LAYERS = {
    "indexes": ("types", "search", "snapshots", "console", "commands"),
    "ingest": ("structure", "chunking", "formats", "sources", "planning", "sync", "commands"),
    "qa": ("types", "question", "retrieval", "reading", "writing", "answering", "composition", "commands"),
    "web": (
        "settings",
        "access",
        "routing",
        "templating",
        "middleware",
        "rendering",
        "services",
        "api",
        "pages",
        "app",
        "composition",
        "commands",
    ),
}
MOST_FILES_OF_WEB = 12  # beside its packages


def modules(package: str) -> list[Path]:
    return [path.relative_to(ROOT) for path in sorted((ROOT / package).rglob("*.py"))]


def imported(module: Path) -> Iterator[str]:
    """The top-level names a module imports, inside functions too."""
    for node in ast.walk(ast.parse((ROOT / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0] if node.level == 0 else "a relative import"
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "import_module":
            yield ast.unparse(node.args[0]).strip("'").split(".")[0]


def packages_of(module: Path) -> set[str]:
    return {name for name in imported(module) if name in {*MAY_IMPORT, "tests", "benchmarks", "a relative import"}}


@pytest.mark.parametrize("package", sorted(MAY_IMPORT))
def test_a_package_imports_only_what_the_rule_allows(package: str) -> None:
    checked = [module for module in modules(package) if not set(COMPOSITION) & {module, *module.parents}]
    assert len(checked) > 5
    others = {str(module): packages_of(module) - MAY_IMPORT[package] for module in checked}
    assert {module: extra for module, extra in others.items() if extra} == {}


def test_the_command_line_knows_commands_of_all_four() -> None:
    assert {module.split(".")[0] for module in MODULES} == set(MAY_IMPORT)


def place_of(module: str) -> str:
    """The file or subpackage directly in the package: `web.api.ask` lies in `api`."""
    return module.split(".")[1]


def places_imported(module: Path) -> Iterator[str]:
    """The places of its own package that a module imports, for types too."""
    package = module.parts[0]
    for node in ast.walk(ast.parse((ROOT / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        yield from (place_of(name) for name in names if name.startswith(f"{package}."))


def imports_between_places(package: str) -> dict[str, set[str]]:
    graph: dict[str, set[str]] = {}
    for module in modules(package):
        place = place_of(".".join(module.with_suffix("").parts))
        graph.setdefault(place, set()).update(set(places_imported(module)) - {place})
    return graph


@pytest.mark.parametrize("package", sorted(LAYERS))
def test_the_places_of_a_package_import_each_other_in_no_circle(package: str) -> None:
    graph = imports_between_places(package)
    assert sum(map(len, graph.values())) > 15
    list(TopologicalSorter(graph).static_order())  # raises CycleError, which names the circle


@pytest.mark.parametrize("package", sorted(LAYERS))
def test_no_import_runs_upwards(package: str) -> None:
    graph, order = imports_between_places(package), LAYERS[package]
    assert set(order) <= set(graph), "a layer that is gone"
    height = {place: number for number, place in enumerate(order)}
    upwards = [(low, high) for low in order for high in graph[low] & set(order) if height[high] > height[low]]
    assert upwards == []


def modules_named(module: Path) -> Iterator[str]:
    """The modules that a module imports from, as they are written."""
    for node in ast.walk(ast.parse((ROOT / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_only_the_composition_knows_which_index_holds_the_corpus() -> None:
    """Everything else names the protocols of `qa/corpus.py`."""
    knowing = {"indexes.snapshots.snapshot", "indexes.snapshots.store"}
    found = {module for package in ("qa", "web") for module in modules(package) if knowing & set(modules_named(module))}
    assert found == {Path("qa/composition.py"), Path("web/composition.py")}


def test_web_has_few_files_of_its_own() -> None:
    assert 0 < len(list((ROOT / "web").glob("*.py"))) <= MOST_FILES_OF_WEB


def test_qa_loads_neither_http_nor_ingest_nor_torch() -> None:
    run_by_others = {"__main__", "env"}  # Alembic runs the latter
    names = [".".join(module.with_suffix("").parts) for module in modules("qa") if module.stem not in run_by_others]
    code = f"import sys, {', '.join(names)}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {"fastapi", "starlette", "uvicorn", "ingest", "web", "torch"} & set(done.stdout.split()) == set()


def test_only_the_exporter_and_the_reference_import_torch_and_only_inside_their_functions() -> None:
    heavy = {"torch", "sentence_transformers"}
    found = {m for package in MAY_IMPORT for m in modules(package) if heavy & set(imported(m))}
    assert found == {Path("indexes/models/onnx_export.py"), Path("indexes/models/sentence_transformers.py")}
    for module in found:
        tree = ast.parse((ROOT / module).read_text(encoding="utf-8"))
        top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        assert not heavy & {name.split(".")[0] for node in top for name in _names(node)}


def _names(node: ast.Import | ast.ImportFrom) -> list[str]:
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]


WHOLE = {  # who may look at the whole snapshot, whoever asks
    Path("web/composition.py"): "says how many articles are served when the server starts",
    Path("web/commands/doctor.py"): "asks a question to see whether one is answered",
    Path("web/commands/evaluate.py"): "measures on an index of its own",
    Path("web/api/health.py"): "is ready once there is one",
    Path("web/pages/insights.py"): "knows from it which questions to leave out",
}


def test_nobody_but_these_looks_past_what_a_reader_may_read() -> None:
    """Everything else goes through `seen_by`, so that a restricted article is nowhere by accident."""
    found = {module for package in ("qa", "web") for module in modules(package) if _looks_at_the_whole(module)}
    assert found == set(WHOLE)


def _looks_at_the_whole(module: Path) -> bool:
    calls = (n for n in ast.walk(ast.parse((ROOT / module).read_text(encoding="utf-8"))) if isinstance(n, ast.Call))
    return any(isinstance(call.func, ast.Attribute) and call.func.attr == "current" for call in calls)
