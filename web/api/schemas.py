"""The JSON schemas of the HTTP API. Names are fixed; fields may be added."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StringConstraints, model_validator

from indexes.types import TagMode
from qa import types as qa
from qa.conversations import Exchange
from qa.journal.records import AnswerRecord
from qa.links import Links

_LONGEST_TAG = 200  # characters
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

Item = TypeVar("Item")


def _storable(text: str) -> str:
    if _UNSTORABLE.search(text):
        raise ValueError("must not contain NUL or unpaired surrogates")
    return text


# Documented only: the regular expressions of JSON Schema cannot express unpaired surrogates, so `_storable` checks.
_STORABLE = Field(json_schema_extra={"pattern": "^[^\\x00]*$"})


def _documented_length(most: int) -> Any:
    """Documents text that is trimmed before it is measured, which `maxLength` cannot express."""

    def describe(schema: dict[str, Any]) -> None:
        schema.pop("maxLength", None)
        schema["pattern"] = "^[^\\x00]*\\S[^\\x00]*$"
        schema.setdefault("description", f"At most {most:,} characters, not counting blanks around them.")

    return Field(json_schema_extra=describe)


Text = Annotated[str, AfterValidator(_storable), _STORABLE]
QuestionText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=qa.LONGEST_QUESTION),
    AfterValidator(_storable),
    _documented_length(qa.LONGEST_QUESTION),
]
TagName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=_LONGEST_TAG),
    AfterValidator(_storable),
    _documented_length(_LONGEST_TAG),
]


class TurnIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    role: Literal["user", "assistant"]
    text: Annotated[Text, Field(max_length=20_000)]


class AskIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    question: QuestionText
    tags: Annotated[list[TagName], Field(max_length=50)] = []
    tag_mode: TagMode = "any"
    conversation_id: Annotated[Text, Field(max_length=100)] | None = None
    history: Annotated[list[TurnIn], Field(max_length=50)] = []
    limit: Annotated[int, Field(ge=1, le=50)] = 8

    @model_validator(mode="after")
    def one_history(self) -> Self:
        if self.conversation_id is not None and self.history:
            raise ValueError("send either conversation_id or history, not both")
        return self


class SpanOut(BaseModel):
    start: int
    end: int


class CitationOut(BaseModel):
    n: int
    article_id: str
    title: str
    url: str
    heading: list[str]
    quote: str
    start: int
    end: int
    key: Annotated[list[SpanOut], Field(description="places of the words that answer, within `start` and `end`")]

    @classmethod
    def of(cls, citation: qa.Citation) -> Self:
        return cls.model_validate(citation, from_attributes=True)


class SectionOut(BaseModel):
    article_id: str
    title: str
    url: str
    heading: list[str]
    text: str
    start: int
    end: int

    @classmethod
    def of(cls, section: qa.Section) -> Self:
        return cls.model_validate(section, from_attributes=True)


Closest = Annotated[
    list[CitationOut], Field(description="where `kind` is `closest`: passages that may help; nothing is asserted")
]
Elsewhere = Annotated[list[SectionOut], Field(description="other sections that may answer, best first")]


class PassageOut(BaseModel):
    article_id: str
    title: str
    url: str
    heading: list[str]
    text: str
    start: int
    end: int
    score: float

    @classmethod
    def of(cls, passage: qa.Passage, links: Links) -> Self:
        article = passage.article
        return cls(
            article_id=article.id,
            title=article.title,
            url=links.passage(article.id, passage.start, passage.end),
            heading=list(passage.heading),
            text=passage.text,
            start=passage.start,
            end=passage.end,
            score=round(passage.score, 6),
        )


class RelatedOut(BaseModel):
    article_id: str
    title: str
    url: str
    score: float
    reason: str

    @classmethod
    def of(cls, related: qa.Related) -> Self:
        return cls.model_validate(related, from_attributes=True)


class AnswerOut(BaseModel):
    answer_id: str
    conversation_id: str
    question: str
    standalone_question: str
    answered: Annotated[bool, Field(description="whether `kind` is `answered`")]
    kind: qa.AnswerKind
    confidence: Annotated[float, Field(ge=0, le=1)]
    text: str
    writer: Literal["extractive", "llm"]
    citations: list[CitationOut]
    closest: Closest
    elsewhere: Elsewhere
    passages: list[PassageOut]
    related: list[RelatedOut]
    missing: Annotated[list[str], Field(description="what the answer leaves open; `text` ends with it")]
    degraded: list[str]
    took_ms: float

    @classmethod
    def of(cls, exchange: Exchange, links: Links) -> Self:
        answer = exchange.answer
        return cls(
            answer_id=answer.answer_id,
            conversation_id=exchange.conversation_id,
            question=answer.question,
            standalone_question=answer.standalone_question,
            answered=answer.answered,
            kind=answer.kind,
            confidence=answer.confidence,
            text=answer.text,
            writer=answer.writer,
            citations=[CitationOut.of(c) for c in answer.citations],
            closest=[CitationOut.of(c) for c in answer.closest],
            elsewhere=[SectionOut.of(s) for s in answer.elsewhere],
            passages=[PassageOut.of(p, links) for p in answer.passages],
            related=[RelatedOut.of(r) for r in answer.related],
            missing=list(answer.missing),
            degraded=list(answer.degraded),
            took_ms=answer.took_ms,
        )


class FeedbackIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    answer_id: Annotated[Text, Field(max_length=100)]
    helpful: StrictBool
    reason: Annotated[Text, Field(max_length=200)] = ""
    comment: Annotated[Text, Field(max_length=2_000)] = ""


class FeedbackOut(BaseModel):
    answer_id: str
    helpful: bool
    reason: str
    comment: str


class KeptOut(BaseModel):
    answer_id: str
    asked: datetime
    question: str
    standalone_question: str
    tags: list[str]
    tag_mode: TagMode
    answered: bool
    kind: qa.AnswerKind
    confidence: float
    text: str
    writer: Literal["extractive", "llm"]
    missing: list[str]
    citations: list[CitationOut]
    closest: Closest
    elsewhere: Elsewhere
    related: list[RelatedOut]
    degraded: list[str]
    took_ms: float
    feedback: FeedbackOut | None

    @classmethod
    def of(cls, record: AnswerRecord) -> Self:
        answer, feedback = record.answer, record.feedback
        return cls(
            answer_id=answer.answer_id,
            asked=record.asked,
            question=answer.question,
            standalone_question=answer.standalone_question,
            tags=list(record.filter.tags),
            tag_mode=record.filter.mode,
            answered=answer.answered,
            kind=answer.kind,
            confidence=answer.confidence,
            text=answer.text,
            writer=answer.writer,
            missing=list(answer.missing),
            citations=[CitationOut.of(c) for c in answer.citations],
            closest=[CitationOut.of(c) for c in answer.closest],
            elsewhere=[SectionOut.of(s) for s in answer.elsewhere],
            related=[RelatedOut.of(r) for r in answer.related],
            degraded=list(answer.degraded),
            took_ms=answer.took_ms,
            feedback=feedback
            and FeedbackOut(
                answer_id=answer.answer_id, helpful=feedback.helpful, reason=feedback.reason, comment=feedback.comment
            ),
        )


class ConversationOut(BaseModel):
    conversation_id: str
    title: str  # the first question
    turns: list[KeptOut]

    @classmethod
    def of(cls, conversation_id: str, records: Sequence[AnswerRecord]) -> Self:
        title = records[0].answer.question
        return cls(conversation_id=conversation_id, title=title, turns=[KeptOut.of(record) for record in records])


class ListPage(BaseModel, Generic[Item]):
    items: list[Item]
    total: int
    next_cursor: str | None = None
