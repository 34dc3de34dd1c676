"""`indexes` imports none of the others, `ingest` and `qa` import `indexes`, `web` imports `qa` and `indexes`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
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
COMPOSITION_ROOT = Path("web/cli.py")


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
    found = {module: packages_of(module) - MAY_IMPORT[package] for module in modules(package)}
    assert len(found) > 5
    assert {str(m): extra for m, extra in found.items() if extra and m != COMPOSITION_ROOT} == {}


def test_the_composition_root_imports_all_four() -> None:
    assert packages_of(COMPOSITION_ROOT) | {module.split(".")[0] for module in MODULES} == set(MAY_IMPORT)


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
