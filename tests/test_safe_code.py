"""What the code never does: unpickle, evaluate, start a shell, load what it has not locked."""

from __future__ import annotations

import ast
import pyexpat
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from ingest.formats.front_matter import PlainLoader
from tests.conftest import ROOT

PACKAGES = ("indexes", "ingest", "qa", "web")
FILES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
UNPICKLING = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
EVALUATING = {"eval", "exec", "compile", "__import__"}


def nodes() -> Iterator[tuple[str, ast.AST]]:
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            yield f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}", node


def calls() -> Iterator[tuple[str, str, dict[str, str]]]:
    """Where, what (as `module.function`), and its keyword arguments as code."""
    for place, node in nodes():
        if isinstance(node, ast.Call):
            yield place, ast.unparse(node.func), {str(k.arg): ast.unparse(k.value) for k in node.keywords}


def importing(names: set[str]) -> set[str]:
    """The files that import one of `names`."""
    return {
        place.split(":")[0]
        for place, node in nodes()
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""])
        if name.split(".")[0] in names
    }


def test_nothing_is_unpickled() -> None:
    assert importing(UNPICKLING) == set()


def test_xml_is_read_in_one_place_by_a_parser_that_refuses_bombs() -> None:
    assert importing({"xml", "xmlrpc"}) == {"ingest/sources/website/sitemaps.py"}
    assert pyexpat.version_info >= (2, 4, 1)  # since which it limits what entities may grow to
    bomb = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "x" * 100}">' for n in range(9))
    with pytest.raises(ElementTree.ParseError, match="amplification"):
        ElementTree.fromstring(f"<!DOCTYPE r [{bomb}]><r>&e8;</r>")


def test_no_code_is_evaluated() -> None:
    assert [place for place, name, _ in calls() if name in EVALUATING] == []


def test_no_shell_is_started() -> None:
    shells = ("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput", "commands.getoutput")
    assert [place for place, name, _ in calls() if name in shells] == []
    assert [place for place, _, given in calls() if given.get("shell", "False") != "False"] == []


def test_yaml_is_loaded_by_a_safe_loader() -> None:
    loading = [(place, given) for place, name, given in calls() if name == "yaml.load"]
    assert loading
    assert issubclass(PlainLoader, yaml.SafeLoader)
    assert [place for place, given in loading if given.get("Loader") != "PlainLoader"] == []
    assert [place for place, name, _ in calls() if re.fullmatch(r"yaml\.(full|unsafe|safe)_load(_all)?", name)] == []


def test_arrays_are_loaded_without_pickles() -> None:
    loading = [(place, given) for place, name, given in calls() if name in ("np.load", "numpy.load")]
    assert loading
    assert [place for place, given in loading if given.get("allow_pickle") != "False"] == []


def test_certificates_are_checked() -> None:
    assert [place for place, _, given in calls() if given.get("verify", "True") != "True"] == []


def test_chance_decides_nothing_but_the_intervals_of_figures() -> None:
    """Keys and sessions come from `secrets`."""
    using = {
        str(path.relative_to(ROOT)) for path in FILES if re.search(r"^(?:import|from) random\b", path.read_text(), re.M)
    }
    assert using == {"qa/evaluation/metrics.py"}


def test_every_locked_dependency_has_a_hash_and_a_version() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", lock, flags=re.M).strip())
    assert len(entries) > 80
    for entry in entries:
        assert re.match(r"[A-Za-z0-9._-]+(\[[^\]]*\])?==[^\s\\;]+", entry), entry[:80]
        assert "--hash=sha256:" in entry, entry[:80]
    assert "--require-hashes" in Path(ROOT / "Makefile").read_text(encoding="utf-8")


def test_no_broken_hash_is_used() -> None:
    hashing = {name for _, name, _ in calls() if name.startswith("hashlib.")}
    assert hashing
    assert not hashing & {"hashlib.md5", "hashlib.sha1", "hashlib.new"}
