"""Every regular expression of the code, found in its syntax, and hostile texts for one, made from its own alphabet."""

from __future__ import annotations

import ast
import importlib
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from tests.conftest import ROOT

PACKAGES = ("indexes", "ingest", "qa", "web")
FUNCTIONS = {"compile", "search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer"}
LENGTH = 65_536
_OF_CATEGORY = {
    sre.CATEGORY_SPACE: " \n",
    sre.CATEGORY_DIGIT: "7",
    sre.CATEGORY_WORD: "a_",
    sre.CATEGORY_NOT_SPACE: "a.",
    sre.CATEGORY_NOT_DIGIT: "a ",
    sre.CATEGORY_NOT_WORD: " -",
}


@dataclass(frozen=True)
class Found:
    """A regular expression where it stands, and how it is used there."""

    place: str
    pattern: re.Pattern[str]
    uses: frozenset[str]


@dataclass(frozen=True)
class Unknown:
    """One that is put together only when it is needed."""

    place: str
    code: str


def in_the_code() -> Iterator[Found | Unknown]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield from _in_module(path)


def _in_module(path: Path) -> Iterator[Found | Unknown]:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    source = path.read_text(encoding="utf-8")
    if "re." not in source:
        return
    tree = ast.parse(source)
    uses = _uses(tree)
    names = {id(node.value): _target(node) for node in ast.walk(tree) if isinstance(node, ast.Assign)}
    for node in ast.walk(tree):
        if not (called := _called(node)) or not isinstance(node, ast.Call):
            continue
        place = f"{path.relative_to(ROOT)}:{node.lineno}"
        variable = names.get(id(node), "")
        if called == "compile" and variable:
            value = getattr(importlib.import_module(name), variable, None)
            if isinstance(value, re.Pattern):
                if isinstance(value.pattern, str):
                    yield Found(place, value, frozenset(uses.get(variable, FUNCTIONS - {"compile"})))
                continue
        try:
            pattern = re.compile(ast.literal_eval(node.args[0]), _flags(node, called))
            yield Found(place, pattern, frozenset([called] if called != "compile" else FUNCTIONS - {"compile"}))
        except (ValueError, TypeError):
            yield Unknown(place, ast.unparse(node))


def _called(node: ast.AST) -> str:
    """Which function of `re` is called; "" for anything else."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
        return node.func.attr if node.func.value.id == "re" and node.func.attr in FUNCTIONS else ""
    return ""


def _target(node: ast.Assign) -> str:
    return node.targets[0].id if isinstance(node.targets[0], ast.Name) else ""


def _uses(tree: ast.AST) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr in FUNCTIONS:
            found.setdefault(node.value.id, set()).add(node.attr)
    return found


def _flags(node: ast.Call, called: str) -> int:
    given = [keyword.value for keyword in node.keywords if keyword.arg == "flags"]
    if called in ("compile", "search", "match", "fullmatch"):
        given += node.args[1 if called == "compile" else 2 :]
    names = [name.attr for flag in given for name in ast.walk(flag) if isinstance(name, ast.Attribute)]
    return sum(int(getattr(re, name)) for name in names)


def hostile(pattern: re.Pattern[str]) -> Iterator[str]:
    """Texts of 64 KB: pieces of what the pattern matches, over and over, with an end that it does not match."""
    atoms = sorted(_atoms(parser.parse(pattern.pattern, pattern.flags)))[:12]
    pieces = [*atoms, *("".join(pair) for pair in itertools.permutations(atoms[:6], 2))]
    run = "".join(atoms)
    for piece in [*pieces, run, run + " "]:
        body = piece * (LENGTH // len(piece))
        for start, end in (("", "\x01"), (run, f"{run}!\n")):
            yield (start + body + end)[:LENGTH] if not end else start + body[: LENGTH - len(start + end)] + end


def _atoms(parsed: Any) -> set[str]:
    """Characters and short words that the pattern may match."""
    found: set[str] = set()
    word = ""
    for op, value in parsed:
        if op is sre.LITERAL:
            word += chr(value)
            found.add(chr(value))
            continue
        found |= {word} - {""}
        word = ""
        found |= _atoms_of(op, value)
    return found | ({word} - {""})


def _atoms_of(op: Any, value: Any) -> set[str]:
    if op is sre.NOT_LITERAL:
        return {"a" if value != ord("a") else "b"}
    if op is sre.ANY:
        return {"a", "."}
    if op is sre.IN:
        return set().union(*(_of_set(kind, what) for kind, what in value))
    if op is sre.BRANCH:
        return set().union(*(_atoms(branch) for branch in value[1]))
    if op is sre.SUBPATTERN:
        return _atoms(value[-1])
    if op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
        return _atoms(value[2])
    if op in (sre.ASSERT, sre.ASSERT_NOT):
        return _atoms(value[1])
    if op is sre.ATOMIC_GROUP:
        return _atoms(value)
    return set()


def _of_set(kind: Any, what: Any) -> set[str]:
    if kind is sre.LITERAL:
        return {chr(what)}
    if kind is sre.RANGE:
        return {chr(what[0])}
    if kind is sre.CATEGORY:
        return set(_OF_CATEGORY[what])
    return {"a", " "}  # a negated set
