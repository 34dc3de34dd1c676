"""From a question to a cited answer, or a refusal: the steps, top to bottom."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeAlias

from indexes.types import ANYONE, Filter, Hit, Viewer
from qa.corpus import Corpus, CorpusStore
from qa.filters import known_filter
from qa.findings import Finding, merged, nearest_articles, split_by_support
from qa.links import Links
from qa.observing import UNOBSERVED, Observer
from qa.question.courtesy import courtesy
from qa.question.parts import parts_of
from qa.question.spelling import Speller
from qa.reading.missing import missing_notes, unmentioned
from qa.reading.reading import NOTHING_READ, Reading, SearchedQuestion
from qa.related import related
from qa.retrieval import Retrieved, Retriever
from qa.stopwatch import Stopwatch
from qa.types import REFUSAL, Answer, AnswerKind, Citation, Passage, Question, Related, Standalone, Turn, WriterName
from qa.writing.citing import Cited, Citer
from qa.writing.closest import NOTHING_CLOSE, Closest, closest_passages, elsewhere
from qa.writing.statements import Quote, Statement
from qa.writing.verifying import Support

log = logging.getLogger(__name__)

_RELATED = 3
_NO_MATCH = f"{REFUSAL} No article passes the chosen tags."


class QuestionRewriter(Protocol):
    """Makes a follow-up a question that needs no history."""

    def standalone(self, question: Question) -> Standalone: ...


class SpanScorer(Protocol):
    """Reads passages for a question."""

    def score(self, question: SearchedQuestion, passages: Sequence[Passage]) -> Reading: ...


class Writer(Protocol):
    """Writes an answer from what was read, statement by statement; nothing where nothing can be said."""

    @property
    def name(self) -> WriterName: ...

    def write(self, question: SearchedQuestion, reading: Reading) -> Iterator[Statement]: ...


class Verifier(Protocol):
    """Decides whether a statement may be shown."""

    def supports(self, statement: Statement) -> Support: ...


@dataclass(frozen=True, slots=True)
class Trace:
    """An answer with what led to it, for evaluation and for people who inspect a ranking."""

    answer: Answer
    retrieved: Retrieved
    reading: Reading
    spent: Mapping[str, float] = field(default_factory=dict)  # milliseconds by stage

    @property
    def ranking(self) -> Sequence[Hit]:
        """Every candidate, best first: those that were read, and then the others."""
        return reordered(self.retrieved.ranking, self.reading)


@dataclass(frozen=True, slots=True)
class Sources:
    """The passages that an answer is about to be written from, best first."""

    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of an answer's text; all of them joined are the text."""

    text: str


Progress: TypeAlias = Sources | Piece


class Answerer:
    """Answers from one corpus at a time. Safe to call from many threads."""

    def __init__(
        self,
        store: CorpusStore,
        speller: Speller,
        rewriter: QuestionRewriter,
        retriever: Retriever,
        scorer: SpanScorer,
        writer: Writer,
        verifier: Verifier,
        links: Links,
        observer: Observer = UNOBSERVED,
    ) -> None:
        self._store = store
        self._speller = speller
        self._rewriter = rewriter
        self._retriever = retriever
        self._scorer = scorer
        self._writer = writer
        self._verifier = verifier
        self._links = links
        self._observer = observer

    def ask(self, question: Question) -> Answer:
        """Raises UnknownTag. Having no answer is an `Answer` too."""
        answer = self.trace(question).answer
        self._observer.answered(answer)
        return answer

    def stream(self, question: Question) -> Iterator[Progress | Answer]:
        """`ask` while it is being written: the sources, the pieces of the text, and then the answer."""
        trace = yield from self._steps(question)
        self._observer.answered(trace.answer)
        yield trace.answer

    def trace(self, question: Question) -> Trace:
        """`ask`, with every candidate and the reading."""
        steps = self._steps(question)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                trace: Trace = end.value
                return trace

    def corpus(self, viewer: Viewer = ANYONE) -> Corpus:
        """The corpus to answer this viewer from now."""
        return self._store.seen_by(viewer)

    def search(self, text: str, filter: Filter, limit: int, viewer: Viewer = ANYONE) -> Retrieved:
        """Passages without an answer, best first. Raises UnknownTag."""
        corpus = self._store.seen_by(viewer)
        question = Question(text, known_filter(corpus, filter), limit=limit, viewer=viewer)
        finding = self._find(corpus, question, question.filter, Stopwatch(UNOBSERVED))
        return replace(finding.question.retrieved, passages=finding.passages[:limit])

    def _steps(self, question: Question) -> Generator[Progress, None, Trace]:
        started = time.perf_counter()
        corpus = self._store.seen_by(question.viewer)
        filter = known_filter(corpus, question.filter)
        if reply := courtesy(question.text, corpus.article_count):
            yield Sources(())
            yield Piece(reply)
            return Trace(
                _courteous(question, reply, corpus.generation, self._writer.name), Retrieved((), (), ()), NOTHING_READ
            )
        watch = Stopwatch(self._observer)
        whole = self._find(corpus, question, filter, watch)
        answerable, unanswered = split_by_support(whole, self._parts(corpus, question, filter, watch))
        passages = merged([finding.passages for finding in answerable or [whole]], question.limit)
        yield Sources(passages)
        citer = Citer(self._links)
        for statement in watch.each("writing", self._statements(answerable, passages, unanswered)):
            yield Piece(citer.add(statement))
        cited = citer.cited()
        missing = missing_notes([part.question.text for part in unanswered], whole.question.unknown)
        closest = NOTHING_CLOSE if cited.citations else closest_passages(whole.reading, passages, self._links)
        answer = self._answer(question, whole, answerable, passages, cited, missing if cited.citations else (), closest)
        if rest := answer.text[len(cited.text) :]:
            yield Piece(rest)
        with watch.stage("relating"):
            near = self._related(corpus, passages, cited.citations)
            others = elsewhere(passages, [*cited.citations, *answer.closest], self._links)
        took_ms = (time.perf_counter() - started) * 1000
        watch.add({"other": took_ms - sum(watch.spent.values())})
        answer = replace(
            answer,
            related=tuple(near),
            elsewhere=others,
            audiences=_audiences(corpus, passages, near),
            generation=corpus.generation,
            took_ms=round(took_ms, 2),
        )
        return Trace(answer, whole.question.retrieved, whole.reading, watch.spent)

    def _find(self, corpus: Corpus, question: Question, filter: Filter, watch: Stopwatch) -> Finding:
        mended = self._speller.mended(question.text, corpus)
        standalone = self._rewriter.standalone(replace(question, text=mended))
        retrieved = self._retriever.retrieve(corpus, standalone, filter, question.limit)
        watch.add(retrieved.spent)
        unknown = unmentioned(mended, corpus.vocabulary)
        searched = SearchedQuestion(
            question.text, standalone, retrieved, unknown, corpus.vocabulary, corpus.chunk_count
        )
        with watch.stage("reading"):
            return Finding(searched, self._scorer.score(searched, retrieved.passages))

    def _parts(self, corpus: Corpus, question: Question, filter: Filter, watch: Stopwatch) -> list[Finding]:
        """A finding for each part of a question that has several, none for another.

        To a later part, the parts before it are what earlier turns are to a follow-up.
        """
        texts, findings = parts_of(question.text), []
        for number, text in enumerate(texts if len(texts) > 1 else ()):
            before = tuple(Turn("user", earlier) for earlier in texts[:number])
            part = replace(question, text=text, history=(*question.history, *before))
            findings.append(self._find(corpus, part, filter, watch))
        return findings

    def _statements(
        self, answerable: Sequence[Finding], passages: Sequence[Passage], unanswered: list[Finding]
    ) -> Iterator[Statement]:
        """The verified statements that answer, part by part.

        A finding of which nothing can be quoted joins `unanswered`, when its turn has come.
        """
        shown = {passage.chunk for passage in passages}
        quoted: list[Quote] = []
        for finding in answerable:
            # Without a passage of its own, the limit leaves it no room: nothing is known to be missing.
            is_silent = any(passage.chunk in shown for passage in finding.passages)
            own: list[Quote] = []
            for statement in self._writer.write(finding.question, finding.reading.within(shown)):
                is_silent = False
                if not any(quote.overlaps(other) for quote in statement.quotes for other in quoted):
                    for verified in self._verified(statement):
                        own += verified.quotes
                        yield verified
            quoted += own
            if is_silent:
                unanswered.append(finding)

    def _verified(self, statement: Statement) -> Iterator[Statement]:
        support = self._verifier.supports(statement)
        if support.supported:
            yield statement
        else:
            log.error("A statement was left out of an answer: %s.", support.reason)

    def _answer(
        self,
        question: Question,
        whole: Finding,
        answerable: Sequence[Finding],
        passages: tuple[Passage, ...],
        cited: Cited,
        missing: tuple[str, ...],
        closest: Closest,
    ) -> Answer:
        """The answer but for what stands beside it, its generation and the time it took."""
        answered = bool(cited.citations)
        if answered:
            kind, text = AnswerKind.ANSWERED, "\n\n".join([cited.text, *missing])
        elif closest.citations:
            kind, text = AnswerKind.CLOSEST, closest.text
        else:
            kind, text = AnswerKind.REFUSED, self._refusal(passages, question.filter)
        confidence = min(finding.reading.confidence for finding in answerable or [whole])
        return Answer(
            answer_id=_new_id(),
            question=question.text,
            standalone_question=whole.question.standalone.text,
            kind=kind,
            confidence=round(confidence, 4),
            text=text,
            writer=self._writer.name,
            segments=cited.segments,
            citations=cited.citations,
            passages=passages,
            related=(),
            degraded=whole.question.retrieved.degraded,
            generation="",
            took_ms=0.0,
            missing=missing,
            closest=closest.citations,
        )

    def _refusal(self, passages: Sequence[Passage], filter: Filter) -> str:
        if not passages:
            return _NO_MATCH if filter.tags else REFUSAL
        nearest = [f"- [{p.article.title}]({self._links.article(p.article.id)})" for p in nearest_articles(passages)]
        return "\n".join([f"{REFUSAL} The nearest articles:", "", *nearest])

    def _related(self, corpus: Corpus, passages: Sequence[Passage], citations: Sequence[Citation]) -> list[Related]:
        """Beside an answer: articles related to its first source. Beside a refusal: the nearest articles."""
        if citations:
            sources = [citation.article_id for citation in citations]
            first = next(p.article for p in passages if p.article.id == sources[0])
            return related(corpus, first, _RELATED, self._links, without=sources)
        return [self._near(passage) for passage in nearest_articles(passages)]

    def _near(self, passage: Passage) -> Related:
        article = passage.article
        return Related(
            article.id, article.title, self._links.article(article.id), passage.score, "nearest to the question"
        )


def reordered(ranking: Sequence[Hit], reading: Reading) -> Sequence[Hit]:
    """The candidates in the order in which they were read, and those that were not after them."""
    read = [Hit(read.passage.chunk, read.probability) for read in reading.passages]
    seen = {hit.chunk for hit in read}
    return [*read, *(Hit(hit.chunk, -1 / (1 + hit.score)) for hit in ranking if hit.chunk not in seen)]


def _audiences(corpus: Corpus, passages: Sequence[Passage], near: Sequence[Related]) -> tuple[tuple[str, ...], ...]:
    shown = {p.article.audience for p in passages} | {corpus.articles.audience_of(entry.article_id) for entry in near}
    return tuple(sorted(shown - {()}))


def _new_id() -> str:
    return uuid.uuid4().hex


def _courteous(question: Question, reply: str, generation: str, writer: WriterName) -> Answer:
    return Answer(
        answer_id=_new_id(),
        question=question.text,
        standalone_question=question.text,
        kind=AnswerKind.COURTESY,
        confidence=0.0,
        text=reply,
        writer=writer,
        segments=(),
        citations=(),
        passages=(),
        related=(),
        degraded=(),
        generation=generation,
        took_ms=0.0,
    )
