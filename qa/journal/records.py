"""Answers and questions as they are stored, and the rows they are stored in.

What is looked up on its own has a column, the rest of an answer is one JSON document. The passages that were only
considered are not stored, but for the ids of their articles.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Literal, TypeAlias

from indexes.types import Filter
from qa.types import Answer, AnswerKind, Citation, Related, Section, Segment, Span

Kind: TypeAlias = Literal["answer", "closest", "refusal", "courtesy"]

_STORED_KIND: dict[AnswerKind, Kind] = {
    AnswerKind.ANSWERED: "answer",
    AnswerKind.CLOSEST: "closest",
    AnswerKind.REFUSED: "refusal",
    AnswerKind.COURTESY: "courtesy",
}
_KIND = {stored: kind for kind, stored in _STORED_KIND.items()}


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a reader thought of an answer."""

    helpful: bool
    reason: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """An answer as it was given, without the passages that were only considered. `owner`: whoever asked."""

    conversation_id: str
    owner: str
    asked: datetime
    filter: Filter
    answer: Answer
    feedback: Feedback | None = None


@dataclass(frozen=True, slots=True)
class QuestionRecord:
    """What the statistics need of one question. `retrieved`: articles in rank order; `cited`: those quoted."""

    answer_id: str
    asked: datetime
    question: str
    kind: Kind
    confidence: float
    took_ms: float
    retrieved: tuple[str, ...]
    cited: tuple[str, ...]
    feedback: Feedback | None
    audiences: tuple[tuple[str, ...], ...] = ()  # as `Answer.audiences`

    @property
    def nearest(self) -> str:
        """The article nearest to the question; "" if there was none."""
        return self.retrieved[0] if self.retrieved else ""


def kind_of(answer: Answer) -> Kind:
    """Whether a question was answered, declined, or no question at all."""
    return _STORED_KIND[answer.kind]


# To rows

# Fields of an Answer that have a column of their own, in the order of `ANSWER_COLUMNS`.
_COLUMNS = ("answer_id", "question", "standalone_question", "text", "kind", "confidence", "generation", "took_ms")
_LEFT_OUT = frozenset((*_COLUMNS, "passages"))


def document_of(answer: Answer) -> str:
    """An answer as JSON, without what has a column of its own."""
    names = sorted({field.name for field in fields(answer)} - _LEFT_OUT)
    return json.dumps({name: _plain(getattr(answer, name)) for name in names}, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, (Segment, Citation, Related, Section)):
        return asdict(value)
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def article_rows(answer: Answer) -> list[tuple[str, int, str, bool]]:
    """The articles considered, in rank order: id of the answer, rank from 0, id of the article, whether it is cited."""
    cited = {citation.article_id for citation in answer.citations}
    considered = dict.fromkeys(
        [
            *(passage.article.id for passage in answer.passages),
            *(citation.article_id for citation in answer.closest),
            *(section.article_id for section in answer.elsewhere),
        ]
    )
    return [(answer.answer_id, rank, id, id in cited) for rank, id in enumerate(considered)]


# And back

# What to SELECT for `answer_record` and `question_record`; both end with the feedback.
ANSWER_COLUMNS = (
    "conversation_id, owner, asked, tags, tag_mode, document, answer_id, question, standalone, text, kind, "
    "confidence, generation, took_ms, helpful, reason, comment"
)
QUESTION_COLUMNS = (
    "answer_id, asked, question, kind, confidence, took_ms, coalesce(document ->> '$.audiences', '[]'), "
    "helpful, reason, comment"
)
_PARTS: dict[str, type[Segment] | type[Citation] | type[Related] | type[Section]] = {
    "segments": Segment,
    "citations": Citation,
    "closest": Citation,
    "elsewhere": Section,
    "related": Related,
}
# Fields that the documents of older versions may lack.
_DEFAULTS: dict[str, Any] = {
    "writer": "extractive",
    "segments": (),
    "citations": (),
    "related": (),
    "degraded": (),
    "passages": (),
}


def answer_record(row: Sequence[Any]) -> AnswerRecord:
    """From a row of `ANSWER_COLUMNS`. What a newer version has added to the document is passed over."""
    conversation_id, owner, asked, tags, mode, document, *others = row
    columns, feedback = others[: len(_COLUMNS)], others[len(_COLUMNS) :]
    values = dict(zip(_COLUMNS, columns, strict=True))
    values["kind"] = _KIND[values["kind"]]
    stored = {name: _restored(name, value) for name, value in json.loads(document).items()}
    known = {field.name for field in fields(Answer)}
    answer = Answer(**{**_DEFAULTS, **{n: v for n, v in stored.items() if n in known}, **values})
    filter = Filter(tuple(json.loads(tags)), mode)
    return AnswerRecord(conversation_id, owner, datetime.fromisoformat(asked), filter, answer, _feedback(*feedback))


def question_record(row: Sequence[Any], retrieved: Sequence[str], cited: Sequence[str]) -> QuestionRecord:
    """From a row of `QUESTION_COLUMNS`, and the articles of the question."""
    id, asked, question, kind, confidence, took_ms, audiences, *feedback = row
    return QuestionRecord(
        id,
        datetime.fromisoformat(asked),
        question,
        kind,
        confidence,
        took_ms,
        tuple(retrieved),
        tuple(cited),
        _feedback(*feedback),
        _tuples(json.loads(audiences)),
    )


def _restored(name: str, value: Any) -> Any:
    if part := _PARTS.get(name):
        known = {field.name for field in fields(part)}
        return tuple(part(**{k: _field(k, v) for k, v in _marked(item).items() if k in known}) for item in value)
    return _tuples(value)


def _field(name: str, value: Any) -> Any:
    return tuple(Span(span["start"], span["end"]) for span in value) if name == "key" else _tuples(value)


def _marked(item: dict[str, Any]) -> dict[str, Any]:
    """An item as it is written today: a segment had one mark, `n`, in older files."""
    return {"marks": [item["n"]], **item} if "n" in item else item


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def _feedback(helpful: int | None, reason: str | None, comment: str | None) -> Feedback | None:
    return None if helpful is None else Feedback(bool(helpful), reason or "", comment or "")
