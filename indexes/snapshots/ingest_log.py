"""What past ingests did: a line of JSON each in a file beside the snapshots, which outlives them."""

from __future__ import annotations

import json
import logging
import os
from collections import deque
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from indexes.types import Viewer

log = logging.getLogger(__name__)

FILE = "history.jsonl"
_MOST = 100  # ingests remembered
_REASONS = 50  # skipped files of one ingest remembered by name
_LONGEST = 300  # characters of each name and reason


@dataclass(frozen=True, slots=True)
class Restricted:
    """How many of an ingest's articles were for one audience."""

    audience: tuple[str, ...]
    articles: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0


@dataclass(frozen=True, slots=True)
class IngestRecord:
    """One ingest. `generation` is "" where nothing had changed but files were skipped; `reasons`: (file, why)."""

    finished: str  # ISO 8601, UTC
    generation: str
    sources: tuple[str, ...]
    articles: int
    added: int
    changed: int
    removed: int
    skipped: int
    reasons: tuple[tuple[str, str], ...]
    embedded: int
    seconds: float
    restricted: tuple[Restricted, ...] = ()  # among the articles counted above

    def seen_by(self, viewer: Viewer) -> IngestRecord:
        """The same ingest without the articles that `viewer` may not read."""
        hidden = [entry for entry in self.restricted if not viewer.may_read(entry.audience)]
        return replace(
            self,
            articles=self.articles - sum(entry.articles for entry in hidden),
            added=self.added - sum(entry.added for entry in hidden),
            changed=self.changed - sum(entry.changed for entry in hidden),
            removed=self.removed - sum(entry.removed for entry in hidden),
            restricted=tuple(entry for entry in self.restricted if entry not in hidden),
        )


def remember(root: Path, ingest: IngestRecord) -> None:
    """Append an ingest; the caller holds the write lock. One that changed nothing is left out, unless what was
    skipped differs from the last one.

    An ingest never fails for its history: what cannot be written is logged.
    """
    reasons = tuple((file[:_LONGEST], why[:_LONGEST]) for file, why in ingest.reasons[:_REASONS])
    try:
        last = past(root, 1)
        if not ingest.generation and reasons == (last[0].reasons if last else ()):
            return
        line = json.dumps({**asdict(ingest), "reasons": reasons}, ensure_ascii=False)
        with (root / FILE).open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{_ending(root / FILE)}{line}\n")
        _cut(root)
    except OSError as error:
        log.warning("The history of ingests could not be written (%s); the ingest itself is done.", error)


def _ending(path: Path) -> str:
    """What ends the last line, where a crash cut it off."""
    return "\n" if path.stat().st_size and not path.read_bytes().endswith(b"\n") else ""


def past(root: Path, limit: int = _MOST) -> list[IngestRecord]:
    """The last ingests, newest first. A line that was never finished is passed over."""
    try:
        with (root / FILE).open(encoding="utf-8", errors="replace") as file:
            lines = deque(file, maxlen=limit + 1)
    except FileNotFoundError:
        return []
    ingests = [ingest for line in reversed(lines) if (ingest := _read(line))]
    return ingests[:limit]


def _read(line: str) -> IngestRecord | None:
    try:
        fields = json.loads(line)
        reasons = tuple((str(file), str(why)) for file, why in fields.pop("reasons"))
        restricted = tuple(
            Restricted(**{**entry, "audience": tuple(entry["audience"])}) for entry in fields.pop("restricted", ())
        )
        return IngestRecord(
            **{**fields, "sources": tuple(fields["sources"]), "reasons": reasons, "restricted": restricted}
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _cut(root: Path) -> None:
    """Once it is twice as long as need be, half of the file goes."""
    lines = (root / FILE).read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    if len(lines) <= 2 * _MOST:
        return
    fresh = root / f"{FILE}.new"
    fresh.write_text("".join(lines[-_MOST:]), encoding="utf-8")
    os.replace(fresh, root / FILE)
