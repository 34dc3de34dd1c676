"""The command `doctor`: checks everything an answer needs, and says what to do about what is missing."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import sqlite3
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from indexes.commands import damage
from indexes.console import FAILED, OK, Commands, add_index_option, command, index_of, show
from indexes.errors import FootnoteError
from indexes.models.embedding import load_embedder
from indexes.settings import IndexSettings
from indexes.snapshots.opening import open_whole
from indexes.snapshots.publishing import current_generation, generations
from qa.composition import build_answering, required_embedder
from qa.types import Question
from web.access.sqlite_keys import SqliteKeyStore
from web.settings import Settings
from web.slack import setup

_LEAST_FREE = 500_000_000  # bytes


def add_commands(commands: Commands) -> None:
    add_index_option(command(commands, "doctor", _doctor, "check the installation, the model and the index"))


def _doctor(args: argparse.Namespace, settings: IndexSettings) -> int:
    index = index_of(args, settings)
    checks: dict[str, Callable[[], str]] = {
        "python": _python,
        "disk": lambda: _disk(index),
        "tokeniser": lambda: _tokeniser(settings),
        "model": lambda: load_embedder(settings.model, settings.models, settings.precision, settings.adapter).id,
        "index": lambda: _index(index, settings),
        "fallback": lambda: _fallback(index),
        "journal": lambda: _journal(settings),
        "keys": lambda: _keys(settings),
        "answering": lambda: _answering(settings.at(index)),
        "slack": lambda: _slack(settings),
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


def _tokeniser(settings: IndexSettings) -> str:
    # Imported here: its libraries cost time that `--help` need not wait for.
    from ingest.commands import count_tokens

    return f"counts {count_tokens('one two three', settings)} tokens in three words"


def _disk(index: Path) -> str:
    folder = next(parent for parent in (index.absolute(), *index.absolute().parents) if parent.exists())
    free = shutil.disk_usage(folder).free
    needed = max(_LEAST_FREE, 2 * _largest_snapshot(index))
    if free < needed:
        raise FootnoteError(
            f"only {free // 1_000_000} MB free at {folder}: an ingest may need {needed // 1_000_000} MB. Free some, "
            "or keep fewer snapshots (FOOTNOTE_KEEP)."
        )
    return f"{free // 1_000_000_000} GB free"


def _largest_snapshot(index: Path) -> int:
    sizes = [sum(p.stat().st_size for p in (index / g).rglob("*") if p.is_file()) for g in generations(index)]
    return max(sizes, default=0)


def _index(index: Path, settings: IndexSettings) -> str:
    opened = open_whole(index)
    if opened.problem:
        raise FootnoteError(opened.problem)
    snapshot = opened.snapshot
    snapshot.require_embedder(load_embedder(settings.model, settings.models, settings.precision, settings.adapter).id)
    held = f"{snapshot.manifest.articles} articles, {snapshot.spans.total} spans"
    return f"generation {snapshot.generation}, {held}, whole"


def _fallback(index: Path) -> str:
    """What would answer if the current snapshot were damaged."""
    current = current_generation(index)
    others = {generation: damage(index / generation) for generation in generations(index) if generation != current}
    damaged = [problem for problem in others.values() if problem]
    if damaged:
        raise FootnoteError(" ".join(damaged))
    return f"{', '.join(others)}: whole" if others else "none yet: each ingest keeps the one before"


def _journal(settings: IndexSettings) -> str:
    assert isinstance(settings, Settings)
    if not settings.journal.exists():
        return "none yet: the server makes it"
    try:
        with contextlib.closing(sqlite3.connect(f"{settings.journal.absolute().as_uri()}?mode=ro", uri=True)) as file:
            (verdict,) = file.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        verdict = str(error)
    if verdict != "ok":
        raise FootnoteError(
            f"{settings.journal} is damaged ({verdict}): move it away, and the server starts a new one. Answers do not "
            "depend on it; the conversations in it are lost."
        )
    return f"{settings.journal} is whole"


def _slack(settings: IndexSettings) -> str:
    assert isinstance(settings, Settings)
    return setup.summary(settings)


def _keys(settings: IndexSettings) -> str:
    assert isinstance(settings, Settings)
    if not settings.keys.exists():
        return "none yet: `footnote keys create` makes one, and others can be let in"
    with contextlib.closing(SqliteKeyStore(settings.keys)) as keys:
        known, now = keys.all(), datetime.now(UTC)
    return f"{sum(key.state(now) == 'usable' for key in known)} of {len(known)} keys usable, in {settings.keys}"


def _answering(settings: IndexSettings) -> str:
    parts = build_answering(settings, find_embedder=required_embedder)
    title = parts.store.current().articles.listing(limit=1).articles[0].title
    answer = parts.answerer.ask(Question(title))
    return f"asked {title!r}: {len(answer.passages)} passages in {answer.took_ms} ms"
