"""Reads from a Git checkout which files to leave out (gitignore(5)) and where they are on the web."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote

from pathspec import GitIgnoreSpec

Rules: TypeAlias = tuple[tuple[Path, GitIgnoreSpec], ...]  # (folder they are relative to, rules); the last match wins

_LARGEST = 64 * 1024  # bytes of a file of rules; larger ones are not read
_STARS = 3  # in one part of a rule; each multiplies the time to match a long name
_ORIGIN = re.compile(r'^\[remote "origin"\]\s*$(?:\n(?!\[).*)*?\n\s*url\s*=\s*(\S+)', re.MULTILINE)
# A remote of a host that shows files under `blob/<branch>`; a user name or token before the host is dropped.
_REMOTE = re.compile(
    r"(?:https://(?:[^@/\s]*@)?|(?:ssh://)?git@)(github\.com|gitlab\.com)[/:]([\w.-]+(?:/[\w.-]+)+?)/?$"
)
_BRANCH = re.compile(r"ref: refs/heads/([\w./-]+)\s*$")


def checkout_of(folder: Path) -> Path | None:
    """The top folder of the checkout that contains `folder` (resolved); None if there is none."""
    return next((above for above in (folder, *folder.parents) if (above / ".git").exists()), None)


def web_address(top: Path) -> str:
    """The web address of a checkout's files if its `origin` is on GitHub or GitLab; else ""."""
    remote = _ORIGIN.search(_text(top / ".git" / "config"))
    repository = _REMOTE.match(remote.group(1)) if remote else None
    branch = _BRANCH.match(_text(top / ".git" / "HEAD"))
    if repository is None or branch is None:
        return ""
    host, name = repository.group(1), repository.group(2).removesuffix(".git")
    return f"https://{host}/{name}{'/-' if host == 'gitlab.com' else ''}/blob/{quote(branch.group(1))}/"


def rules_above(root: Path) -> Rules | None:
    """The rules set by the folders above `root` (resolved); None outside a checkout, where no rules apply.

    No rules if they exclude `root` itself: whoever names an excluded folder wants its files.
    """
    top = checkout_of(root)
    if top is None:
        return None
    above = [folder for folder in reversed(root.parents) if folder.is_relative_to(top)]
    files = [(top, top / ".git" / "info" / "exclude"), *((folder, folder / ".gitignore") for folder in above)]
    rules = tuple(rule for folder, file in files for rule in _rules(folder, file))
    return () if any(_excludes(folder, rules) for folder in (root, *above) if folder != top) else rules


def _excludes(folder: Path, rules: Rules) -> bool:
    return ignored(folder, tuple(rule for rule in rules if rule[0] in folder.parents), is_folder=True)


def rules_of(folder: Path, above: Rules) -> Rules:
    """The rules that apply in `folder`: those from above, then its own."""
    return (*above, *_rules(folder, folder / ".gitignore"))


def ignored(path: Path, rules: Rules, *, is_folder: bool) -> bool:
    for folder, spec in reversed(rules):
        name = path.relative_to(folder).as_posix()
        verdict = spec.check_file(f"{name}/" if is_folder else name).include
        if verdict is not None:
            return verdict
    return False


def _rules(folder: Path, file: Path) -> Iterator[tuple[Path, GitIgnoreSpec]]:
    lines = [line for line in _text(file).splitlines() if _is_rule(line)]
    if lines:
        yield folder, GitIgnoreSpec.from_lines(lines)


def _text(file: Path) -> str:
    """The text of a small regular file; "" if there is none, as in most folders."""
    try:
        status = file.lstat()
        if stat.S_ISREG(status.st_mode) and status.st_size <= _LARGEST:
            return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return ""


def _is_rule(line: str) -> bool:
    """Whether a line is a usable rule: no lone `!`, which Git ignores too, and none that takes seconds to match."""
    if line.count("**") > _STARS or any(part.count("*") > _STARS for part in line.split("/")):
        return False
    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True
