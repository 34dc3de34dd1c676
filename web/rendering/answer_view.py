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
from qa.excerpts import place_of
from qa.journal.records import AnswerRecord, Feedback
from qa.links import Links
from qa.suggesting import suggestions
from qa.types import Answer, AnswerKind, Citation, Section, Span
from web import templating
from web.rendering import answers
from web.rendering.element_tree import Tree, tree

_EXCERPT = 260  # characters of a quotation in the list of sources
_DEGRADED = {
    "vectors": "Search by meaning is unavailable, so this rests on matching words alone.",
    "llm": "The language model is unavailable, so the answer is quoted instead of written.",
    UNKEPT: "This answer could not be saved, so it has no permanent address: copy what you need.",
}
_DOUBTFUL = 0.8  # confidence, the calibrated share of right answers, below which an answer is to be checked
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
class ClosestView:
    """A passage that may help. `changed`: the article no longer contains it."""

    url: str
    place: str
    html: Markup
    updated: date | None
    changed: bool


@dataclass(frozen=True, slots=True)
class SectionView:
    """Another section that may answer."""

    url: str
    place: str
    excerpt: str


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
    closest: tuple[ClosestView, ...]
    elsewhere: tuple[SectionView, ...]
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


def feedback_tree(answer_id: str, kind: AnswerKind, feedback: Feedback | None) -> list[Tree]:
    """The feedback form, or the thanks in its place, as elements."""
    return tree(
        templating.fragment(
            "feedback.html",
            id=answer_id,
            kind=kind,
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
    current = current_answer(answer, corpus, links)
    return AnswerView(
        number,
        conversation_id,
        filter,
        current,
        answers.answer(current, f"Answer {number}, ", corpus.articles.article),
        confidence_in_words(answer.confidence),
        warnings(answer),
        tuple(_source(citation, corpus) for citation in current.citations),
        tuple(_closest(citation, corpus, f"Answer {number}, passage {citation.n}, ") for citation in current.closest),
        tuple(_section(section) for section in current.elsewhere),
        suggestions(answer, corpus),
        feedback,
    )


def _source(citation: Citation, corpus: Corpus) -> SourceView:
    article = corpus.articles.article(citation.article_id)
    return SourceView(
        citation.n,
        citation.url,
        citation.title,
        citation.heading,
        answers.plain_text(citation.quote, _EXCERPT),
        article.updated if article else None,
        _span(citation.quote, citation.start, article) is None,
    )


def _closest(citation: Citation, corpus: Corpus, label: str) -> ClosestView:
    article = corpus.articles.article(citation.article_id)
    return ClosestView(
        citation.url,
        place_of(citation),
        answers.quotation(citation, article, label),
        article.updated if article else None,
        _span(citation.quote, citation.start, article) is None,
    )


def _section(section: Section) -> SectionView:
    return SectionView(section.url, place_of(section), answers.plain_text(section.text, _EXCERPT))


# Where quoted words are today: articles change after an answer


def current_answer(answer: Answer, corpus: Corpus, links: Links) -> Answer:
    """The answer with the places and addresses that its quotations have today.

    What is gone leads to its article instead; sections of articles that are gone are left out.
    """

    def updated(citation: Citation) -> Citation:
        current = current_citation(citation, corpus, links) or replace(citation, url=links.article(citation.article_id))
        return replace(current, url=_with_way_back(current.url, answer.answer_id))

    return replace(
        answer,
        citations=tuple(updated(citation) for citation in answer.citations),
        closest=tuple(updated(citation) for citation in answer.closest),
        elsewhere=current_sections(answer.elsewhere, corpus, links),
    )


def current_citation(citation: Citation, corpus: Corpus, links: Links) -> Citation | None:
    """The citation where its article has the quoted words today; None if they or the article are gone."""
    span = _span(citation.quote, citation.start, corpus.articles.article(citation.article_id))
    if span is None:
        return None
    by = span.start - citation.start
    return replace(
        citation,
        url=links.passage(citation.article_id, span.start, span.end),
        start=span.start,
        end=span.end,
        key=tuple(Span(key.start + by, key.end + by) for key in citation.key),
    )


def current_sections(sections: Sequence[Section], corpus: Corpus, links: Links) -> tuple[Section, ...]:
    """The sections where their articles have them today; changed ones lead to their article."""
    articles = ((section, corpus.articles.article(section.article_id)) for section in sections)
    return tuple(_current_section(section, article, links) for section, article in articles if article is not None)


def _current_section(section: Section, article: Article, links: Links) -> Section:
    span = _span(section.text, section.start, article)
    if span is None:
        return replace(section, url=links.article(article.id))
    url = links.passage(article.id, span.start, span.end)
    return replace(section, url=url, start=span.start, end=span.end)


def _span(text: str, start: int, article: Article | None) -> Span | None:
    """Where the article has the text, at `start` if it is still there; None if it or the article is gone."""
    if article is None:
        return None
    found = start if article.markdown.startswith(text, start) else article.markdown.find(text)
    return Span(found, found + len(text)) if found >= 0 else None


def _with_way_back(url: str, answer_id: str) -> str:
    """The address of a passage, with the answer that its page leads back to."""
    return url.replace("#", f"&{urlencode({'answer': answer_id})}#")


def confidence_in_words(confidence: float) -> str:
    """How sure an answer is, without a verdict on it; a doubtful one is to be checked."""
    stated = f"Confidence {confidence * 100:.0f} %"
    return stated if confidence >= _DOUBTFUL else f"{stated}: check the sources"
