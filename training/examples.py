"""Passages and questions as they are trained on, and which of them are held out."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class TrainingPassage:
    """A chunk of a document. `spans`: the quotables, in code points of `text`. `held_out`: never trained on."""

    id: int
    source: str
    document: str
    context: str
    text: str
    spans: tuple[tuple[int, int], ...]
    held_out: bool


@dataclass(frozen=True, slots=True)
class TrainingQuestion:
    """A question written for a passage. `answers`: spans of it that answer, best first; none for a near miss.

    `also` and `partly`: other passages of the document that answer it, or help. `judged`: whether the rest of the
    document is known not to.
    """

    passage: int
    text: str
    style: str
    answers: tuple[int, ...]
    also: frozenset[int]
    partly: frozenset[int]
    judged: bool


@dataclass(frozen=True)
class Examples:
    """All passages by id, and all questions."""

    passages: dict[int, TrainingPassage]
    questions: tuple[TrainingQuestion, ...]

    @classmethod
    def read(cls, folder: Path) -> Examples:
        """From `passages.json` (with texts: see `training.data`) and `questions.jsonl`."""
        entries = json.loads((folder / "passages.json").read_text(encoding="utf-8"))
        passages = {entry["p"]: _passage(entry) for entry in entries}
        lines = (folder / "questions.jsonl").read_text(encoding="utf-8").splitlines()
        questions = tuple(_question(json.loads(line)) for line in lines if line.strip())
        return cls(passages, questions)

    @cached_property
    def siblings(self) -> dict[str, list[int]]:
        """Document → its passages in order."""
        found: dict[str, list[int]] = defaultdict(list)
        for passage in self.passages.values():
            found[passage.document].append(passage.id)
        return found

    @cached_property
    def asked_of(self) -> dict[int, list[TrainingQuestion]]:
        """Passage → the questions written for it."""
        found: dict[int, list[TrainingQuestion]] = defaultdict(list)
        for question in self.questions:
            found[question.passage].append(question)
        return found

    def held_out(self, document: str) -> bool:
        """Whether the encoder may not see a document."""
        return self.passages[self.siblings[document][0]].held_out

    @cached_property
    def unseen_sources(self) -> list[str]:
        """The knowledge bases of which the encoder sees no document."""
        seen = {p.source for p in self.passages.values() if not p.held_out}
        return sorted({p.source for p in self.passages.values()} - seen)

    def of_sources(self, sources: Sequence[str]) -> list[TrainingQuestion]:
        """The questions of whole knowledge bases; of those that the encoder has seen, the held-out ones."""
        own = (q for q in self.questions if self.passages[q.passage].source in sources)
        return [q for q in own if self.passages[q.passage].held_out]


def _passage(fields: dict[str, Any]) -> TrainingPassage:
    names = ("source", "document", "context", "text")
    spans = tuple((start, end) for start, end in fields["spans"])
    return TrainingPassage(fields["p"], *(fields[name] for name in names), spans, fields["split"] == "held out")


def _question(fields: dict[str, Any]) -> TrainingQuestion:
    others = (frozenset(fields.get(name, ())) for name in ("also", "part"))
    return TrainingQuestion(fields["p"], fields["q"], fields["st"], tuple(fields["a"]), *others, "also" in fields)
