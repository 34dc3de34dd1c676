"""From a question to a cited answer, or a refusal: the whole road, top to bottom."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from indexes.snapshot import Snapshot
from indexes.store import SnapshotStore
from indexes.types import Filter
from qa.citing import Cited, cite
from qa.courtesy import courtesy
from qa.errors import UnknownTag
from qa.evidence import NOTHING, Evidence, weigh
from qa.links import Links
from qa.related import related
from qa.retrieving import Retrieved, Retriever
from qa.rewriting import Rewriter
from qa.types import REFUSAL, Answer, Passage, Question, Related, Standalone
from qa.writing import ExtractiveWriter

_RELATED = 3
_NO_MATCH = f"{REFUSAL} No article passes the chosen tags."


@dataclass(frozen=True, slots=True)
class Trace:
    """An answer with what led to it, for evaluation and for people who look under the bonnet."""

    answer: Answer
    retrieved: Retrieved
    evidence: Evidence


class Answerer:
    """Answers from one snapshot at a time. Safe to call from many threads."""

    def __init__(
        self, store: SnapshotStore, rewriter: Rewriter, retriever: Retriever, writer: ExtractiveWriter, links: Links
    ) -> None:
        self._store = store
        self._rewriter = rewriter
        self._retriever = retriever
        self._writer = writer
        self._links = links

    def ask(self, question: Question) -> Answer:
        """Raises UnknownTag. Having no answer is an `Answer` too."""
        return self.trace(question).answer

    def trace(self, question: Question) -> Trace:
        """`ask`, with every candidate and the evidence."""
        started = time.perf_counter()
        snapshot = self._store.current()
        filter = known_filter(snapshot, question.filter)
        if reply := courtesy(question.text, snapshot.manifest.articles):
            return _courteous(question, reply, snapshot.generation)
        standalone = self._rewriter.standalone(question)
        retrieved = self._retriever.retrieve(snapshot, standalone, filter, question.limit)
        evidence = weigh(question.text, standalone.text, retrieved, snapshot.keywords.rarity)
        cited = self._cited(snapshot, standalone, retrieved) if evidence.enough else None
        answer = self._answer(snapshot, question, standalone, retrieved, evidence, cited)
        took_ms = round((time.perf_counter() - started) * 1000, 2)
        return Trace(replace(answer, took_ms=took_ms), retrieved, evidence)

    def search(self, text: str, filter: Filter, limit: int) -> Retrieved:
        """Passages without an answer, best first. Raises UnknownTag."""
        snapshot = self._store.current()
        standalone = self._rewriter.standalone(Question(text))
        return self._retriever.retrieve(snapshot, standalone, known_filter(snapshot, filter), limit)

    def _cited(self, snapshot: Snapshot, standalone: Standalone, retrieved: Retrieved) -> Cited | None:
        quotes = self._writer.write(standalone.text, retrieved.passages, snapshot.keywords.rarity)
        return cite(quotes, self._links) if quotes else None

    def _answer(
        self, snapshot: Snapshot, question: Question, standalone: Standalone, retrieved: Retrieved,
        evidence: Evidence, cited: Cited | None,
    ) -> Answer:  # fmt: skip
        return Answer(
            answer_id=_new_id(),
            question=question.text,
            standalone_question=standalone.text,
            answered=cited is not None,
            confidence=round(evidence.confidence, 4),
            text=cited.text if cited else self._refusal(retrieved),
            writer="extractive",
            segments=cited.segments if cited else (),
            citations=cited.citations if cited else (),
            passages=retrieved.passages,
            related=tuple(self._related(snapshot, retrieved, cited)),
            degraded=retrieved.degraded,
            generation=snapshot.generation,
            took_ms=0.0,
        )

    def _refusal(self, retrieved: Retrieved) -> str:
        if not retrieved.passages:
            return _NO_MATCH
        nearest = [
            f"- [{p.article.title}]({self._links.article(p.article.id)})" for p in nearest_articles(retrieved.passages)
        ]
        return "\n".join([f"{REFUSAL} The nearest articles:", "", *nearest])

    def _related(self, snapshot: Snapshot, retrieved: Retrieved, cited: Cited | None) -> list[Related]:
        """Beside an answer: articles related to its first source. Beside a refusal: the nearest articles."""
        if cited:
            sources = [citation.article_id for citation in cited.citations]
            first = next(p.article for p in retrieved.passages if p.article.id == sources[0])
            return related(snapshot, first, _RELATED, self._links, without=sources)
        return [
            Related(
                p.article.id, p.article.title, self._links.article(p.article.id), p.score, "nearest to the question"
            )
            for p in nearest_articles(retrieved.passages)
        ]


def _new_id() -> str:
    return uuid.uuid4().hex


def _courteous(question: Question, reply: str, generation: str) -> Trace:
    answer = Answer(
        answer_id=_new_id(), question=question.text, standalone_question=question.text, answered=False, confidence=0.0,
        text=reply, writer="extractive", segments=(), citations=(), passages=(), related=(), degraded=(),
        generation=generation, took_ms=0.0,
    )  # fmt: skip
    return Trace(answer, Retrieved((), (), ()), NOTHING)


def nearest_articles(passages: Sequence[Passage]) -> list[Passage]:
    """The best passage of each of the first few articles."""
    first: dict[str, Passage] = {}
    for passage in passages:
        first.setdefault(passage.article.id, passage)
    return list(first.values())[:_RELATED]


def known_filter(snapshot: Snapshot, filter: Filter) -> Filter:
    """`filter` with its tags as they are stored. Raises UnknownTag naming near ones."""
    known = []
    for tag in filter.tags:
        name = snapshot.articles.tag_name(tag)
        if name is None:
            tags = {stored.casefold(): stored for stored in snapshot.articles.tags()}
            near = get_close_matches(tag.casefold(), tags, n=3, cutoff=0.5)
            raise UnknownTag(tag, [tags[match] for match in near])
        known.append(name)
    return Filter(tuple(known), filter.mode)
