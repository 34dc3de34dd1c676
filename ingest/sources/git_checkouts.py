"""What a Git checkout says of its files: which to leave out (gitignore(5)), and where they are on the web."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote

from pathspec import GitIgnoreSpec

Rules: TypeAlias = tuple[tuple[Path, GitIgnoreSpec], ...]  # (folder that they are relative to, rules); the last wins

_LARGEST = 64 * 1024  # bytes of a file of rules
_STARS = 3  # in one part of a rule; each multiplies what a long name costs to match
_ORIGIN = re.compile(r'^\[remote "origin"\]\s*$(?:\n(?!\[).*)*?\n\s*url\s*=\s*(\S+)', re.MULTILINE)
# A remote of a host that shows files under `blob/<branch>`; a name or token before the host is left behind.
_REMOTE = re.compile(
    r"(?:https://(?:[^@/\s]*@)?|(?:ssh://)?git@)(github\.com|gitlab\.com)[/:]([\w.-]+(?:/[\w.-]+)+?)/?$"
)
_BRANCH = re.compile(r"ref: refs/heads/([\w./-]+)\s*$")


def checkout_of(folder: Path) -> Path | None:
    """The top of the checkout that `folder` (resolved) lies in."""
    return next((above for above in (folder, *folder.parents) if (above / ".git").exists()), None)


def web_address(top: Path) -> str:
    """Where a checkout's files are on the web: what `origin` says, if that is GitHub or GitLab; else ""."""
    remote = _ORIGIN.search(_text(top / ".git" / "config"))
    place = _REMOTE.match(remote.group(1)) if remote else None
    branch = _BRANCH.match(_text(top / ".git" / "HEAD"))
    if place is None or branch is None:
        return ""
    host, name = place.group(1), place.group(2).removesuffix(".git")
    return f"https://{host}/{name}{'/-' if host == 'gitlab.com' else ''}/blob/{quote(branch.group(1))}/"


def rules_above(root: Path) -> Rules | None:
    """The rules that folders above `root` (resolved) set; None if it lies in no checkout, where no rule counts.

    Whoever names a folder that is left out wants what is in it: none of the rules above counts then.
    """
    top = checkout_of(root)
    if top is None:
        return None
    above = [folder for folder in reversed(root.parents) if folder.is_relative_to(top)]
    files = [(top, top / ".git" / "info" / "exclude"), *((folder, folder / ".gitignore") for folder in above)]
    rules = tuple(rule for folder, file in files for rule in _rules(folder, file))
    return () if any(_leaves_out(folder, rules) for folder in (root, *above) if folder != top) else rules


def _leaves_out(folder: Path, rules: Rules) -> bool:
    return ignored(folder, tuple(rule for rule in rules if rule[0] in folder.parents), is_folder=True)


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
    lines = [line for line in _text(file).splitlines() if _is_rule(line)]
    if lines:
        yield folder, GitIgnoreSpec.from_lines(lines)


def _text(file: Path) -> str:
    """The text of a small regular file; "" where there is none, as in most folders."""
    try:
        status = file.lstat()
        if stat.S_ISREG(status.st_mode) and status.st_size <= _LARGEST:
            return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return ""


def _is_rule(line: str) -> bool:
    """Not what Git passes over too (`!` alone), nor a rule that would take seconds to match."""
    if line.count("**") > _STARS or any(part.count("*") > _STARS for part in line.split("/")):
        return False
    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True
