"""Where articles come from: folders of Markdown and HTML, single files, JSONL exports."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeAlias

import yaml

from indexes.types import Article, Category
from ingest.errors import ArticleRejected, SourceMissing
from ingest.parsing import LARGEST, parse_html, parse_markdown, parse_record, read_record, record_id

_PARSERS: dict[str, Callable[[str, bytes, Category], Article]] = {
    ".md": parse_markdown, ".markdown": parse_markdown, ".html": parse_html, ".htm": parse_html,
}  # fmt: skip
_JSONL = ".jsonl"
_CATEGORY_FILE = "category.yaml"
_NEVER = frozenset({"node_modules", "__pycache__"})
_PARSER_VERSION = "1"  # raise it when the same bytes parse to another article


@dataclass(frozen=True, slots=True)
class SourceItem:
    """An article before it is parsed. Equal fingerprints mean that it would parse to the same article."""

    id: str
    origin: str  # for people: the file, or file:line
    category: Category
    fingerprint: str
    parse: Callable[[], Article]


@dataclass(frozen=True, slots=True)
class Skipped:
    """What could not be used, and why. `kept`: the version ingested before still serves."""

    origin: str
    reason: str
    id: str = ""
    kept: bool = False


Found: TypeAlias = SourceItem | Skipped


@dataclass(slots=True)
class Ignored:
    """Files that are no articles by their ending, counted so that nothing goes unsaid."""

    by_ending: Counter[str] = field(default_factory=Counter)


def require_source(path: Path) -> None:
    """Raises SourceMissing unless `path` is a folder, an article or an export."""
    if not path.exists():
        raise SourceMissing(f"There is no file or folder {path}: check the path.")
    if not path.is_dir() and path.suffix.lower() not in (*_PARSERS, _JSONL):
        raise SourceMissing(f"{path} is neither a folder nor a .md, .html or .jsonl file.")


def read_source(path: Path, ignored: Ignored) -> Iterator[Found]:
    """Every article of a folder, file or export, in a stable order. Raises SourceMissing."""
    require_source(path)
    if path.is_dir():
        yield from _folder(path, ignored)
    elif path.suffix.lower() == _JSONL:
        yield from _export(path)
    else:
        yield _file(path, path.parent, _category(path.parent, path.parent))


def _folder(root: Path, ignored: Ignored) -> Iterator[Found]:
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = sorted(n for n in subfolders if not n.startswith(".") and n not in _NEVER)
        try:
            category = _category(Path(folder), root)
        except ArticleRejected as error:
            yield Skipped(str(Path(folder) / _CATEGORY_FILE), str(error))
            category = Category(root.resolve().name)
        for name in sorted(names):
            path = Path(folder) / name
            if path.suffix.lower() in _PARSERS:
                yield _file(path, root, category)
            elif path.suffix.lower() == _JSONL:
                yield from _export(path)
            elif name != _CATEGORY_FILE:
                ignored.by_ending[path.suffix.lower() or name] += 1


def _file(path: Path, root: Path, category: Category) -> Found:
    id = path.relative_to(root).with_suffix("").as_posix()
    try:
        raw = _read(path)
    except ArticleRejected as error:
        return Skipped(str(path), str(error), id)
    parse = partial(_PARSERS[path.suffix.lower()], id, raw, category)
    return SourceItem(id, str(path), category, _fingerprint(raw, path.suffix.lower(), category), parse)


def _read(path: Path) -> bytes:
    """Only regular files: a symlink may lead out of the folder, a FIFO never ends."""
    try:
        str(path).encode("utf-8")
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            raise ArticleRejected("a symbolic link: name its target as a source instead")
        if not stat.S_ISREG(status.st_mode):
            raise ArticleRejected("not a regular file")
        if status.st_size > LARGEST:
            raise ArticleRejected(f"larger than {LARGEST // (1024 * 1024)} MB: split it")
        return path.read_bytes()
    except UnicodeEncodeError as error:
        raise ArticleRejected("its name is not UTF-8: rename it") from error
    except OSError as error:
        raise ArticleRejected(f"cannot be read ({error.strerror}): check its permissions") from error


def _export(path: Path) -> Iterator[Found]:
    category = _category(path.parent, path.parent)
    with path.open("rb") as lines:
        for number, raw in enumerate(lines, start=1):
            if not raw.strip():
                continue
            origin = f"{path}:{number}"
            try:
                id = record_id(read_record(raw))
            except ArticleRejected as error:
                yield Skipped(origin, str(error))
                continue
            yield SourceItem(
                id, origin, category, _fingerprint(raw, _JSONL, category), partial(parse_record, raw, category)
            )


def _category(folder: Path, root: Path) -> Category:
    """The category of a folder: the nearest category.yaml, from the folder up to the source's root."""
    while True:
        file = folder / _CATEGORY_FILE
        if file.is_file():
            return _read_category(file)
        if folder == root or folder == folder.parent:
            return Category(root.resolve().name)
        folder = folder.parent


def _read_category(file: Path) -> Category:
    try:
        fields = yaml.safe_load(file.read_text(encoding="utf-8"))
        site = fields.get("main_site") or {}
        return Category(
            str(fields["name"]),
            str(fields.get("description", "")),
            str(site.get("label", "")),
            str(site.get("url", "")),
        )
    except (OSError, ValueError, yaml.YAMLError, KeyError, AttributeError) as error:
        raise ArticleRejected(f"the category cannot be read ({error}): it needs at least `name: …`") from error


def _fingerprint(raw: bytes, kind: str, category: Category) -> str:
    digest = hashlib.sha256(raw)
    digest.update("\x1f".join((_PARSER_VERSION, kind, *astuple(category))).encode())
    return digest.hexdigest()
