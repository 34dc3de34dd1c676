"""Determines the category of a folder's articles: from its category.yaml, or its name."""

from __future__ import annotations

import os
from dataclasses import astuple
from pathlib import Path

import yaml

from indexes.types import Category
from ingest.errors import ArticleRejected
from ingest.formats.front_matter import PlainLoader, text
from ingest.sources.files import read_file
from ingest.sources.items import Skipped

CATEGORY_FILE = "category.yaml"
_LARGEST = 64 * 1024  # bytes: YAML is slow to parse, and a category is a few lines


def category_of(folder: Path, inherited: Category) -> tuple[Category, list[Skipped]]:
    """The category that a folder's category.yaml names, else the inherited one; a broken file is reported."""
    file = folder / CATEGORY_FILE
    if not os.path.lexists(file):
        return inherited, []
    try:
        return _read_category(file), []
    except ArticleRejected as error:
        return inherited, [Skipped(str(file), str(error))]


def _read_category(file: Path) -> Category:
    try:
        fields = yaml.load(read_file(file, _LARGEST).decode("utf-8"), Loader=PlainLoader)
        site = fields.get("main_site") or {}
        category = Category(text(fields, "name"), text(fields, "description"), text(site, "label"), text(site, "url"))
        "".join(astuple(category)).encode("utf-8")  # raises for lone surrogates, which YAML can spell
    except (ValueError, yaml.YAMLError, LookupError, AttributeError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ArticleRejected(f"the category cannot be read ({reason}): it needs at least `name: …`") from error
    if not category.name:
        raise ArticleRejected("the category has no name: it needs at least `name: …`")
    return category
