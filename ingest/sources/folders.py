"""Reads folders of Markdown, HTML and documents, single files and exports."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from indexes.types import Category
from ingest.errors import ArticleRejected, SourceMissing
from ingest.sources.bundles import JSON, JSONL, ZIP, read_bundle
from ingest.sources.categories import CATEGORY_FILE, category_of
from ingest.sources.file_kinds import ARTICLES, Ids, article_item
from ingest.sources.files import LINK, read_file
from ingest.sources.git_checkouts import Rules, checkout_of, ignored, rules_above, rules_of, web_address
from ingest.sources.items import Ignored, Skipped, SourceEntry

_HOST = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}(?:[:/]|$)")
_EXCLUDED_FOLDERS = frozenset({"node_modules", "__pycache__"})
_INDEX_FILES = frozenset({"CURRENT", "lock"})  # a folder with these is an index, not a source


def require_source(path: Path) -> None:
    """Raises SourceMissing unless `path` is a folder, an article or an export."""
    known = (*sorted(ARTICLES), JSONL, JSON, ZIP)
    if not path.exists():
        is_host = _HOST.match(str(path)) and path.suffix.lower() not in known
        hint = " For a website, write https:// before it." if is_host else ""
        raise SourceMissing(f"There is no file or folder {path}: check the path.{hint}")
    if not path.is_dir() and path.suffix.lower() not in known:
        raise SourceMissing(f"{path} is neither a folder nor a file that ends in {', '.join(known)}.")


def read_source(path: Path, unused: Ignored) -> Iterator[SourceEntry]:
    """Every article of a folder, file or export, in a stable order. Raises SourceMissing."""
    require_source(path)
    if path.is_dir():
        yield from _Folder(path, unused).entries()
        return
    category, broken = category_of(path.parent, Category(path.parent.resolve().name))
    yield from broken
    if path.suffix.lower() in ARTICLES:
        yield _file(path, path.parent, category, Ids())
    else:
        yield from read_bundle(path, category, unused)


class _Folder:
    """One walk through a folder. What subfolders inherit is kept by path."""

    def __init__(self, root: Path, unused: Ignored) -> None:
        self._root = root
        self._unused = unused
        self._ids = Ids()
        self._unreadable: list[Skipped] = []
        self._categories = {root.parent: Category(root.resolve().name)}
        self._real_root = root.resolve()  # Git's rules apply to the real path
        self._top = checkout_of(self._real_root)
        self._web = web_address(self._top) if self._top else ""
        above = rules_above(self._real_root)
        self._in_checkout = above is not None
        self._rules: dict[Path, Rules] = {root.parent: above or ()}

    def entries(self) -> Iterator[SourceEntry]:
        for folder, subfolders, names in os.walk(self._root, onerror=self._note_unreadable):
            if _INDEX_FILES.issubset(names):
                subfolders.clear()
                continue
            current = Path(folder)
            rules = self._inherit_rules(current)
            subfolders[:] = sorted(name for name in subfolders if self._is_entered(current / name, rules))
            for name in subfolders:
                if (current / name).is_symlink():
                    yield Skipped(str(current / name), LINK, under=self._id_prefix(current / name))
            self._categories[current], broken = category_of(current, self._categories[current.parent])
            yield from broken
            for name in sorted(names):
                if not ignored(self._real_path(current / name), rules, is_folder=False):
                    yield from self._articles(current / name)
        yield from self._unreadable

    def _inherit_rules(self, folder: Path) -> Rules:
        above = self._rules[folder.parent]
        self._rules[folder] = rules_of(self._real_path(folder), above) if self._in_checkout else above
        return self._rules[folder]

    def _is_entered(self, folder: Path, rules: Rules) -> bool:
        hidden = folder.name.startswith(".") or folder.name in _EXCLUDED_FOLDERS
        return not hidden and not ignored(self._real_path(folder), rules, is_folder=True)

    def _real_path(self, path: Path) -> Path:
        return self._real_root / path.relative_to(self._root)

    def _articles(self, path: Path) -> Iterator[SourceEntry]:
        ending = path.suffix.lower()
        if ending in ARTICLES:
            yield _file(path, self._root, self._categories[path.parent], self._ids, self._address(path))
        elif ending == JSONL:
            yield from read_bundle(path, self._categories[path.parent], self._unused)
        elif path.name != CATEGORY_FILE:
            self._unused.counts[ending or path.name] += 1

    def _address(self, path: Path) -> str:
        """The web address of a file in a checkout; "" if that is unknown."""
        if not self._web or self._top is None:
            return ""
        inside = self._real_path(path).relative_to(self._top).as_posix()
        return self._web + quote(inside, errors="replace")

    def _note_unreadable(self, error: OSError) -> None:
        reason = f"the folder cannot be read ({error.strerror}): check its permissions"
        self._unreadable.append(Skipped(str(error.filename), reason, under=self._id_prefix(Path(error.filename))))

    def _id_prefix(self, folder: Path) -> str:
        """The beginning of the ids of all articles in `folder`."""
        return "" if folder == self._root else f"{Ids.of_folder(folder.relative_to(self._root))}/"


def _file(path: Path, root: Path, category: Category, ids: Ids, address: str = "") -> SourceEntry:
    inside = path.relative_to(root)
    try:
        raw = read_file(path)
    except ArticleRejected as error:
        return Skipped(str(path), str(error), ids.of(inside))
    return article_item(ids.of(inside, raw), str(path), inside, raw, category, address)
