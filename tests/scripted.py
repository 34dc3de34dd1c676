"""Answers made by hand over the tiny articles, and a site that gives one of them to every question."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import cast

from starlette.testclient import TestClient

from indexes.types import Viewer
from qa.answering import Answerer, Piece, Progress, Sources
from qa.conversations import Conversations
from qa.corpus import Corpus, CorpusStore
from qa.links import Links
from qa.types import CLOSEST, Answer, AnswerKind, Citation, Question, Section, Segment, Span
from tests.conftest import Site
from web.admission import WorkSlots
from web.app import create_app
from web.services import Services
from web.serving.draining import Drain

LINKS = Links()


def citation(corpus: Corpus, article_id: str, quote: str, *key: str, n: int = 1, heading: str = "") -> Citation:
    """A quotation of an article, of which the words of `key` answer."""
    article = corpus.articles.article(article_id)
    assert article
    start = article.markdown.index(quote)
    spans = tuple(Span(at, at + len(words)) for words in key for at in [article.markdown.index(words, start)])
    url, end = LINKS.passage(article_id, start, start + len(quote)), start + len(quote)
    return Citation(n, article_id, article.title, url, (heading,) if heading else (), quote, start, end, spans)


def section(corpus: Corpus, article_id: str, text: str, heading: str = "") -> Section:
    """A section of an article, found by `text`."""
    cited = citation(corpus, article_id, text, heading=heading)
    return Section(article_id, cited.title, cited.url, cited.heading, text, cited.start, cited.end)


def blank(kind: AnswerKind, corpus: Corpus, text: str) -> Answer:
    return Answer("0" * 32, "How?", "How?", kind, 0.42, text, "extractive", (), (), (), (), (), corpus.generation, 1.0)


def excerpt_answer(corpus: Corpus) -> Answer:
    """One excerpt of two sentences, of which the second answers, and another section."""
    first, second = (
        "A refresh token is exchanged for a new one every time it is used.",
        "An access token lives for 10 minutes.",
    )
    cited = citation(corpus, "tokens", f"{first} {second}", second)
    return replace(
        blank(AnswerKind.ANSWERED, corpus, f"{first} {second} [1]"),
        confidence=0.83,
        segments=(Segment("sentence", first, (1,)), Segment("sentence", second, (1,))),
        citations=(cited,),
        elsewhere=(section(corpus, "caching", "An ETag lets a client revalidate cheaply."),),
    )


def closest_answer(corpus: Corpus) -> Answer:
    """Two passages that may help, and three other sections."""
    item = "2. Send the key with every attempt."
    list_ = f"1. Create an idempotency key for the payment.\n{item}\n3. Stop after the third attempt."
    closest = (
        citation(corpus, "retries", list_, item, heading="Choosing what to retry"),
        citation(corpus, "logging", "Write one JSON object per line.", n=2),
    )
    quoted = ["\n".join(f"> {line}" for line in c.quote.split("\n")) + f"\n\n[{c.title}]({c.url})" for c in closest]
    return replace(
        blank(AnswerKind.CLOSEST, corpus, "\n\n".join([CLOSEST, *quoted])),
        closest=closest,
        elsewhere=(
            section(corpus, "tokens", "An access token lives for 10 minutes."),
            section(corpus, "caching", "An ETag lets a client revalidate cheaply."),
            section(corpus, "guides/deploying", "A canary release sends five percent of the traffic"),
        ),
    )


class Script:
    """Gives one answer to every question, each time with an id of its own."""

    def __init__(self, store: CorpusStore, answer: Answer) -> None:
        self._store = store
        self._answer = answer

    def ask(self, question: Question) -> Answer:
        return replace(self._answer, answer_id=uuid.uuid4().hex, question=question.text)

    def stream(self, question: Question) -> Iterator[Progress | Answer]:
        yield Sources(())
        yield Piece(self._answer.text)
        yield self.ask(question)

    def corpus(self, viewer: Viewer) -> Corpus:
        return self._store.seen_by(viewer)


def scripted(services: Services, answer: Answer) -> Services:
    """The services of a site on which every question gets this answer."""
    script = cast("Answerer", Script(services.store, answer))
    conversations = Conversations(script, services.journal.answers)
    return replace(services, conversations=conversations, drain=Drain())


@contextmanager
def scripted_client(site: Site, answer: Answer) -> Iterator[TestClient]:
    app = create_app(scripted(site.services, answer), max_body=262_144, slots=WorkSlots(2, 64))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client
