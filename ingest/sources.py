"""Where articles come from: folders of Markdown and HTML, single files, JSONL exports."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import astuple
from functools import partial
from pathlib import Path
from typing import BinaryIO

import yaml

from indexes.types import Article, Category
from ingest.errors import ArticleRejected, SourceMissing
from ingest.frontmatter import PlainLoader, text
from ingest.items import Found, Ignored, Skipped, SourceItem, fingerprint
from ingest.parsing import LARGEST, parse_html, parse_markdown, parse_record, read_record, record_id

_PARSERS: dict[str, Callable[[str, bytes, Category], Article]] = {
    ".md": parse_markdown, ".markdown": parse_markdown, ".html": parse_html, ".htm": parse_html,
}  # fmt: skip
_HTML = (".html", ".htm")
_JSONL = ".jsonl"
_CATEGORY_FILE = "category.yaml"
_LARGE = 32 * 1024  # bytes; what is larger is parsed where it can be stopped: no input this small costs many seconds
_LARGE_HTML = 16 * 1024
_ID = re.compile(rb'"id"\s*:\s*"([^"\\]{1,1000})"')
_NEVER = frozenset({"node_modules", "__pycache__"})
_INDEX_FILES = frozenset({"CURRENT", "lock"})  # a folder with these is an index, which is no source
_LINK = "a symbolic link: name its target as a source instead"


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
        return
    category, broken = _category(path.parent, Category(path.parent.resolve().name))
    yield from broken
    yield from _articles(path, path.parent, category)


def _folder(root: Path, ignored: Ignored) -> Iterator[Found]:
    categories: dict[Path, Category] = {}
    unreadable: list[Skipped] = []
    for folder, subfolders, names in os.walk(root, onerror=lambda error: unreadable.append(_unreadable(error, root))):
        here = Path(folder)
        if _INDEX_FILES.issubset(names):
            subfolders.clear()
            continue
        subfolders[:] = sorted(n for n in subfolders if not n.startswith(".") and n not in _NEVER)
        yield from (
            Skipped(str(here / n), _LINK, under=_under(here / n, root)) for n in subfolders if (here / n).is_symlink()
        )
        category, broken = _category(here, categories.get(here.parent) or Category(root.resolve().name))
        categories[here] = category
        yield from broken
        for name in sorted(names):
            path = here / name
            if path.suffix.lower() in (*_PARSERS, _JSONL):
                yield from _articles(path, root, category)
            elif name != _CATEGORY_FILE:
                ignored.by_ending[path.suffix.lower() or name] += 1
    yield from unreadable


def _unreadable(error: OSError, root: Path) -> Skipped:
    reason = f"the folder cannot be read ({error.strerror}): check its permissions"
    return Skipped(str(error.filename), reason, under=_under(Path(error.filename), root))


def _under(folder: Path, root: Path) -> str:
    """What the ids of all articles in `folder` begin with."""
    return "" if folder == root else f"{folder.relative_to(root).as_posix()}/"


def _articles(path: Path, root: Path, category: Category) -> Iterator[Found]:
    if path.suffix.lower() == _JSONL:
        yield from _export(path, category)
    else:
        yield _file(path, root, category)


def _file(path: Path, root: Path, category: Category) -> Found:
    id = path.relative_to(root).with_suffix("").as_posix()
    try:
        raw = _read(path)
    except ArticleRejected as error:
        return Skipped(str(path), str(error), id)
    ending = path.suffix.lower()
    parse = partial(_PARSERS[ending], id, raw, category)
    costly = len(raw) > (_LARGE_HTML if ending in _HTML else _LARGE)
    return SourceItem(id, str(path), category, fingerprint(raw, ending, category), parse, costly)


def _export(path: Path, category: Category) -> Iterator[Found]:
    try:
        file = _open(path)
    except ArticleRejected as error:
        yield Skipped(str(path), str(error), under="")  # which articles came from it is not known: none is removed
        return
    with file:
        for number, raw in enumerate(_lines(file), start=1):
            if not raw.strip():
                continue
            origin = f"{path}:{number}"
            try:
                id = record_id(read_record(raw))
            except ArticleRejected as error:
                guessed = _ID.search(raw)  # so that the last version of a line that broke is kept
                yield Skipped(origin, str(error), guessed.group(1).decode("utf-8", "replace") if guessed else "")
                continue
            parse, costly = partial(parse_record, raw, category), len(raw) > _LARGE
            yield SourceItem(id, origin, category, fingerprint(raw, _JSONL, category), parse, costly)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file; of one that is too long only the beginning, which is refused for its length."""
    while raw := file.readline(LARGEST + 1):
        rest = raw
        while rest and not rest.endswith(b"\n"):
            rest = file.readline(LARGEST)
        yield raw


def _open(path: Path) -> BinaryIO:
    """Only regular files: a symlink may lead out of the folder, a FIFO never ends."""
    try:
        str(path).encode("utf-8")
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            raise ArticleRejected(_LINK)
        if not stat.S_ISREG(mode):
            raise ArticleRejected("not a regular file")
        return path.open("rb")
    except UnicodeEncodeError as error:
        raise ArticleRejected("its name is not UTF-8: rename it") from error
    except OSError as error:
        raise ArticleRejected(f"cannot be read ({error.strerror}): check its permissions") from error


def _read(path: Path) -> bytes:
    with _open(path) as file:
        try:
            raw = file.read(LARGEST + 1)
        except OSError as error:
            raise ArticleRejected(f"cannot be read ({error.strerror}): check its disk") from error
    if len(raw) > LARGEST:
        raise ArticleRejected(f"larger than {LARGEST // (1024 * 1024)} MB: split it")
    return raw


def _category(folder: Path, inherited: Category) -> tuple[Category, list[Skipped]]:
    """The category that a folder's own category.yaml names, else the inherited one; a broken file is reported."""
    file = folder / _CATEGORY_FILE
    if not os.path.lexists(file):
        return inherited, []
    try:
        return _read_category(file), []
    except ArticleRejected as error:
        return inherited, [Skipped(str(file), str(error))]


def _read_category(file: Path) -> Category:
    try:
        fields = yaml.load(_read(file).decode("utf-8"), Loader=PlainLoader)
        site = fields.get("main_site") or {}
        category = Category(text(fields, "name"), text(fields, "description"), text(site, "label"), text(site, "url"))
        "".join(astuple(category)).encode("utf-8")  # YAML can spell lone surrogates, which nothing can store
    except (ValueError, yaml.YAMLError, LookupError, AttributeError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ArticleRejected(f"the category cannot be read ({reason}): it needs at least `name: …`") from error
    if not category.name:
        raise ArticleRejected("the category has no name: it needs at least `name: …`")
    return category
