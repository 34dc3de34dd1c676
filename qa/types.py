"""What a question is made of, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeAlias

from indexes.types import ANYONE, Article, Filter, Quotable, Viewer

Role: TypeAlias = Literal["user", "assistant"]
WriterName: TypeAlias = Literal["extractive", "llm"]

LONGEST_QUESTION = 4_000  # characters
REFUSAL = "The knowledge base does not say."
CLOSEST = "The knowledge base may not answer this. The closest passages:"


class AnswerKind(StrEnum):
    """What came of a question."""

    ANSWERED = "answered"
    CLOSEST = "closest"  # spans that may help; nothing is asserted
    REFUSED = "refused"  # the knowledge base does not answer it
    COURTESY = "courtesy"  # a word returned to a greeting or thanks: nothing was searched for


@dataclass(frozen=True, slots=True)
class Turn:
    """One side of an earlier exchange of the conversation. `kind`: of an answer that was given here."""

    role: Role
    text: str
    kind: AnswerKind | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A question as asked. `limit`: passages to consider and return."""

    text: str
    filter: Filter = field(default_factory=Filter)
    history: tuple[Turn, ...] = ()
    limit: int = 8
    viewer: Viewer = ANYONE


@dataclass(frozen=True, slots=True)
class Probe:
    """A text to search for, with the weight its rankings have in the fusion."""

    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class Standalone:
    """A question that needs no history: as shown to the asker, and as searched for.

    The first probe is the question as asked, the last one `text`.
    """

    text: str
    probes: tuple[Probe, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """A retrieved chunk with its place: `article.markdown[start:end]`.

    `score` is the fused one, comparable within one answer only; `similarity` is the cosine to the question,
    None when the vectors were unavailable.
    """

    chunk: int
    article: Article
    heading: tuple[str, ...]
    context: str
    start: int
    end: int
    quotables: tuple[Quotable, ...]
    score: float
    similarity: float | None

    @property
    def text(self) -> str:
        return self.article.markdown[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Span:
    """A place in an article's Markdown, in code points."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Citation:
    """Mark `n` of an answer: `quote == article Markdown[start:end]`, in code points.

    `key` holds the places of the words that answer, in the article's Markdown and within the quotation, in order.
    """

    n: int
    article_id: str
    title: str
    url: str
    heading: tuple[str, ...]
    quote: str
    start: int
    end: int
    key: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A place that may answer, beside those that an answer cites: the passage of a section that fits best."""

    article_id: str
    title: str
    url: str
    heading: tuple[str, ...]
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of an answer's text, in reading order, with the numbers of the citations it rests on."""

    kind: Literal["sentence", "list", "code", "table"]
    text: str
    marks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Related:
    """An article related to another, or to an answer, and why."""

    article_id: str
    title: str
    url: str
    score: float
    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, the closest passages, or the plain word that the KB has none: `kind` says which.

    Only an answer has citations. `closest` are spans that may help where nothing is asserted; `elsewhere` are other
    sections that may answer, best first, one entry a section.
    """

    answer_id: str
    question: str
    standalone_question: str
    kind: AnswerKind
    confidence: float
    text: str
    writer: WriterName
    segments: tuple[Segment, ...]
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    related: tuple[Related, ...]
    degraded: tuple[str, ...]
    generation: str
    took_ms: float
    missing: tuple[str, ...] = ()  # sentences that say what the answer leaves open; they end its text
    closest: tuple[Citation, ...] = ()
    elsewhere: tuple[Section, ...] = ()
    audiences: tuple[tuple[str, ...], ...] = ()  # of all restricted articles that it quotes or names

    @property
    def answered(self) -> bool:
        return self.kind is AnswerKind.ANSWERED
