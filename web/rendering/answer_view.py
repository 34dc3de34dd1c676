"""What does the asker see of one answer, just given or kept: its footnotes, sources, doubts, and where to go on?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import urlencode

from markupsafe import Markup

from indexes.snapshots.snapshot import Snapshot
from indexes.types import Filter
from qa.conversations import UNKEPT, Exchange
from qa.journal.records import AnswerRecord, Feedback
from qa.links import Links
from qa.suggesting import suggestions
from qa.types import Answer, Citation
from web import templating
from web.rendering import answers
from web.rendering.element_tree import Tree, tree

_EXCERPT = 260  # characters of a quotation in the list of sources
_DEGRADED = {
    "vectors": "Search by meaning is unavailable, so this rests on matching words alone.",
    "llm": "The language model is unavailable, so the answer is quoted instead of written.",
    UNKEPT: "This answer could not be saved, so it has no permanent address: copy what you need.",
}
_SURE, _RATHER = 0.8, 0.5  # calibrated shares of right answers
REASONS = ("It is wrong", "It is incomplete", "It is out of date", "It is not what I asked")
MISSING_TOPIC = "missing topic"


@dataclass(frozen=True, slots=True)
class SourceView:
    """A footnote in full. `changed`: the article no longer has these words in this place."""

    n: int
    url: str
    title: str
    heading: tuple[str, ...]
    quote: str
    updated: date | None
    changed: bool


@dataclass(frozen=True, slots=True)
class AnswerView:
    """A question and its answer. `number`: its place in the conversation, from 1. `own`: the reader asked it."""

    number: int
    conversation_id: str
    filter: Filter
    answer: Answer
    html: Markup
    confidence: str
    notes: tuple[str, ...]
    sources: tuple[SourceView, ...]
    suggestions: tuple[str, ...]
    feedback: Feedback | None
    own: bool = True

    @property
    def kept(self) -> bool:
        """Whether it has a permanent address."""
        return UNKEPT not in self.answer.degraded


def given(exchange: Exchange, filter: Filter, number: int, snapshot: Snapshot, links: Links) -> AnswerView:
    """An answer just given."""
    return _turn(exchange.conversation_id, exchange.answer, filter, None, number, snapshot, links)


def kept(conversation: Sequence[AnswerRecord], snapshot: Snapshot, links: Links) -> list[AnswerView]:
    """The answers of a conversation, their footnotes leading to where the words are today."""
    return [
        _turn(k.conversation_id, k.answer, k.filter, k.feedback, number, snapshot, links)
        for number, k in enumerate(conversation, start=1)
    ]


def view(turn: AnswerView) -> list[Tree]:
    """The turn as elements for the browser to build."""
    return tree(templating.fragment("turn.html", turn=turn, reasons=REASONS, missing_topic=MISSING_TOPIC))


def feedback_view(answer_id: str, answered: bool, feedback: Feedback | None) -> list[Tree]:
    """The form that asks for feedback, or thanks for it, as elements."""
    return tree(
        templating.fragment(
            "feedback.html",
            id=answer_id,
            answered=answered,
            feedback=feedback,
            reasons=REASONS,
            missing_topic=MISSING_TOPIC,
        )
    )


def doubts(answer: Answer) -> tuple[str, ...]:
    """What was unavailable when it was given, each with what follows from that."""
    return tuple(_DEGRADED.get(part, f"Unavailable: {part}.") for part in answer.degraded)


def _turn(
    conversation_id: str,
    answer: Answer,
    filter: Filter,
    feedback: Feedback | None,
    number: int,
    snapshot: Snapshot,
    links: Links,
) -> AnswerView:
    found = [_today(citation, answer.answer_id, snapshot, links) for citation in answer.citations]
    settled = replace(answer, citations=tuple(citation for citation, _ in found))
    return AnswerView(
        number,
        conversation_id,
        filter,
        settled,
        answers.answer(settled, f"Answer {number}, "),
        in_words(answer.confidence),
        doubts(answer),
        tuple(source for _, source in found),
        suggestions(answer, snapshot),
        feedback,
    )


def _today(citation: Citation, answer_id: str, snapshot: Snapshot, links: Links) -> tuple[Citation, SourceView]:
    """The citation with the address its words have now: articles move on, an answer stays."""
    article = snapshot.articles.article(citation.article_id)
    start = -1
    if article is not None:
        start = citation.start
        if article.markdown[start : citation.end] != citation.quote:
            start = article.markdown.find(citation.quote)
    if start < 0:
        url = links.article(citation.article_id)
    else:
        url = links.passage(citation.article_id, start, start + len(citation.quote))
        url = url.replace("#", f"&{urlencode({'answer': answer_id})}#")
    source = SourceView(
        citation.n,
        url,
        citation.title,
        citation.heading,
        answers.plain(citation.quote, _EXCERPT),
        article.updated if article else None,
        start < 0,
    )
    return replace(citation, url=url), source


def in_words(confidence: float) -> str:
    """How well an answer is supported."""
    if confidence >= _SURE:
        return "Well supported"
    return "Partly supported — check the sources" if confidence >= _RATHER else "Weakly supported — check the sources"
