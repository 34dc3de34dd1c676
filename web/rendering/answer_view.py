"""The view of one answer, new or recorded: its HTML, sources, warnings and suggestions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import urlencode

from markupsafe import Markup

from indexes.types import Article, Filter
from qa.conversations import UNKEPT, Exchange
from qa.corpus import Corpus
from qa.journal.records import AnswerRecord, Feedback
from qa.links import Links
from qa.suggesting import suggestions
from qa.types import Answer, Citation
from web import templating
from web.rendering import answers
from web.rendering.element_tree import Tree, tree
from web.rendering.source_map import Span

_EXCERPT = 260  # characters of a quotation in the list of sources
_DEGRADED = {
    "vectors": "Search by meaning is unavailable, so this rests on matching words alone.",
    "llm": "The language model is unavailable, so the answer is quoted instead of written.",
    UNKEPT: "This answer could not be saved, so it has no permanent address: copy what you need.",
}
# Confidence is the calibrated share of right answers (docs/decisions/evidence.md): 4 of 5, and every second one.
_WELL_SUPPORTED, _PARTLY_SUPPORTED = 0.8, 0.5
REASONS = ("It is wrong", "It is incomplete", "It is out of date", "It is not what I asked")
MISSING_TOPIC = "missing topic"


@dataclass(frozen=True, slots=True)
class SourceView:
    """A footnote in full. `changed`: the article no longer contains the quoted words."""

    n: int
    url: str
    title: str
    heading: tuple[str, ...]
    quote: str
    updated: date | None
    changed: bool


@dataclass(frozen=True, slots=True)
class AnswerView:
    """A question and its answer. `number`: its position in the conversation, from 1."""

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
    asked_by_viewer: bool = True  # only the asker may give feedback

    @property
    def recorded(self) -> bool:
        """Whether the journal keeps the answer, so that it has a permanent address."""
        return UNKEPT not in self.answer.degraded


def new_view(exchange: Exchange, filter: Filter, number: int, corpus: Corpus, links: Links) -> AnswerView:
    """The view of an answer just given."""
    return _view(exchange.conversation_id, exchange.answer, filter, None, number, corpus, links)


def recorded_views(records: Sequence[AnswerRecord], corpus: Corpus, links: Links) -> list[AnswerView]:
    """The views of a conversation's answers; footnotes lead to where the quoted words are today."""
    return [
        _view(record.conversation_id, record.answer, record.filter, record.feedback, number, corpus, links)
        for number, record in enumerate(records, start=1)
    ]


def answer_tree(view: AnswerView) -> list[Tree]:
    """The view as elements for the browser to build."""
    return tree(templating.fragment("answer_view.html", view=view, reasons=REASONS, missing_topic=MISSING_TOPIC))


def feedback_tree(answer_id: str, answered: bool, feedback: Feedback | None) -> list[Tree]:
    """The feedback form, or the thanks in its place, as elements."""
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


def warnings(answer: Answer) -> tuple[str, ...]:
    """What was unavailable when the answer was given, and what that means for it."""
    return tuple(_DEGRADED.get(part, f"Unavailable: {part}.") for part in answer.degraded)


def _view(
    conversation_id: str,
    answer: Answer,
    filter: Filter,
    feedback: Feedback | None,
    number: int,
    corpus: Corpus,
    links: Links,
) -> AnswerView:
    cited = [_updated(citation, answer.answer_id, corpus, links) for citation in answer.citations]
    current = replace(answer, citations=tuple(citation for citation, _ in cited))
    return AnswerView(
        number,
        conversation_id,
        filter,
        current,
        answers.answer(current, f"Answer {number}, "),
        confidence_in_words(answer.confidence),
        warnings(answer),
        tuple(source for _, source in cited),
        suggestions(answer, corpus),
        feedback,
    )


def _updated(citation: Citation, answer_id: str, corpus: Corpus, links: Links) -> tuple[Citation, SourceView]:
    """The citation and its source with the address of the quoted words today: articles change after an answer."""
    article = corpus.articles.article(citation.article_id)
    span = current_span(citation, article)
    if span is None:
        url = links.article(citation.article_id)
    else:
        url = links.passage(citation.article_id, *span).replace("#", f"&{urlencode({'answer': answer_id})}#")
    source = SourceView(
        citation.n,
        url,
        citation.title,
        citation.heading,
        answers.plain_text(citation.quote, _EXCERPT),
        article.updated if article else None,
        span is None,
    )
    return replace(citation, url=url), source


def current_span(citation: Citation, article: Article | None) -> Span | None:
    """Where the article has the quoted words today; None if they or the article are gone."""
    if article is None:
        return None
    if article.markdown[citation.start : citation.end] == citation.quote:
        return citation.start, citation.end
    start = article.markdown.find(citation.quote)
    return (start, start + len(citation.quote)) if start >= 0 else None


def confidence_in_words(confidence: float) -> str:
    """How well an answer is supported."""
    if confidence >= _WELL_SUPPORTED:
        return "Well supported"
    return (
        "Partly supported — check the sources"
        if confidence >= _PARTLY_SUPPORTED
        else "Weakly supported — check the sources"
    )
