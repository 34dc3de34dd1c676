"""What the ignore rules of a Git checkout leave out (gitignore(5))."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from pathspec import GitIgnoreSpec

Rules: TypeAlias = tuple[tuple[Path, GitIgnoreSpec], ...]  # (folder that they are relative to, rules); the last wins

_LARGEST = 1024 * 1024  # bytes of a file of rules


def rules_above(root: Path) -> Rules | None:
    """The rules that folders above `root` (resolved) set; None if it lies in no checkout, where no rule counts."""
    top = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), None)
    if top is None:
        return None
    above = [folder for folder in reversed(root.parents) if folder.is_relative_to(top)]
    files = [(top, top / ".git" / "info" / "exclude"), *((folder, folder / ".gitignore") for folder in above)]
    return tuple(rule for folder, file in files for rule in _rules(folder, file))


def rules_of(folder: Path, above: Rules) -> Rules:
    """The rules that count in `folder`: its own after those from above."""
    return (*above, *_rules(folder, folder / ".gitignore"))


def ignored(path: Path, rules: Rules, *, is_folder: bool) -> bool:
    for folder, spec in reversed(rules):
        name = path.relative_to(folder).as_posix()
        verdict = spec.check_file(f"{name}/" if is_folder else name).include
        if verdict is not None:
            return verdict
    return False


def _rules(folder: Path, file: Path) -> Iterator[tuple[Path, GitIgnoreSpec]]:
    try:
        status = file.lstat()
        if stat.S_ISREG(status.st_mode) and status.st_size <= _LARGEST:
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
            yield folder, GitIgnoreSpec.from_lines([line for line in lines if _is_rule(line)])
    except OSError:
        return  # most folders have no rules


def _is_rule(line: str) -> bool:
    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:  # `!` alone, which Git passes over too
        return False
    return True
