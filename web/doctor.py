"""`doctor`: check everything an answer needs, and say what to do about what is missing."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeAlias

from indexes.commands import add_index_option, index_of
from indexes.console import FAILED, OK, Commands, command, show
from indexes.embedding import load_embedder
from indexes.errors import FootnoteError
from indexes.publishing import open_current
from indexes.settings import IndexSettings
from indexes.store import SnapshotStore
from qa.commands import build_answerer
from qa.links import Links
from qa.types import Question

_LEAST_FREE = 500_000_000  # bytes


CountTokens: TypeAlias = Callable[[str, IndexSettings], int]  # handed over by the composition root


def add_commands(count_tokens: CountTokens, commands: Commands) -> None:
    add_index_option(
        command(commands, "doctor", partial(_doctor, count_tokens), "check the installation, the model and the index")
    )


def _doctor(count_tokens: CountTokens, args: argparse.Namespace, settings: IndexSettings) -> int:
    index = index_of(args, settings)
    checks: dict[str, Callable[[], str]] = {
        "python": _python,
        "disk": lambda: _disk(index),
        "tokeniser": lambda: f"counts {count_tokens('one two three', settings)} tokens in three words",
        "model": lambda: load_embedder(settings.model, settings.models).id,
        "index": lambda: _index(index, settings),
        "answering": lambda: _answering(index, settings),
    }
    results = {name: _checked(check) for name, check in checks.items()}
    lines = [f"{'ok ' if ok else 'NOT'} {name:<10} {detail}" for name, (ok, detail) in results.items()]
    document = {"checks": [{"name": name, "ok": ok, "detail": detail} for name, (ok, detail) in results.items()]}
    show(args, document, "\n".join(lines))
    return OK if all(ok for ok, _ in results.values()) else FAILED


def _checked(check: Callable[[], str]) -> tuple[bool, str]:
    try:
        return True, check()
    except FootnoteError as error:
        return False, str(error)


def _python() -> str:
    return f"{sys.version.split()[0]} at {sys.executable}"


def _disk(index: Path) -> str:
    folder = next(parent for parent in (index.absolute(), *index.absolute().parents) if parent.exists())
    free = shutil.disk_usage(folder).free
    if free < _LEAST_FREE:
        raise FootnoteError(f"only {free // 1_000_000} MB free at {folder}: an ingest needs some 500 MB")
    return f"{free // 1_000_000_000} GB free"


def _index(index: Path, settings: IndexSettings) -> str:
    snapshot = open_current(index)
    snapshot.require_embedder(load_embedder(settings.model, settings.models).id)
    return f"generation {snapshot.generation}, {snapshot.manifest.articles} articles, whole"


def _answering(index: Path, settings: IndexSettings) -> str:
    store = SnapshotStore(index)
    answerer = build_answerer(store, load_embedder(settings.model, settings.models), Links())
    title = store.current().articles.listing(limit=1).articles[0].title
    answer = answerer.ask(Question(title))
    return f"asked {title!r}: {len(answer.passages)} passages in {answer.took_ms} ms"
