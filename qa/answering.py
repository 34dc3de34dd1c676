"""From a question to a cited answer, or a refusal: the whole road, top to bottom."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from itertools import zip_longest

from indexes.snapshots.snapshot import Snapshot
from indexes.snapshots.store import SnapshotStore
from indexes.types import ANYONE, Filter, Viewer
from qa.errors import UnknownTag
from qa.links import Links
from qa.observing import UNOBSERVED, Observer
from qa.question.courtesy import courtesy
from qa.question.follow_ups import QuestionRewriter
from qa.question.parts import parts_of
from qa.reading.evidence import NOTHING, Evidence, weigh
from qa.reading.missing import missing_notes, unmentioned
from qa.related import related
from qa.retrieval import Retrieved, Retriever
from qa.stopwatch import Stopwatch
from qa.types import REFUSAL, Answer, Passage, Question, Related, Standalone, Turn
from qa.writing.citing import Cited, cite
from qa.writing.extractive import ExtractiveWriter, Quote

_RELATED = 3
_NO_MATCH = f"{REFUSAL} No article passes the chosen tags."


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found for one thing that was asked: a whole question, or a part of it."""

    asked: str
    standalone: Standalone
    retrieved: Retrieved
    evidence: Evidence
    unknown: tuple[str, ...]  # names in it that no article mentions


@dataclass(frozen=True, slots=True)
class Trace:
    """An answer with what led to it, for evaluation and for people who look under the bonnet."""

    answer: Answer
    retrieved: Retrieved
    evidence: Evidence
    spent: Mapping[str, float] = field(default_factory=dict)  # milliseconds by stage


class Answerer:
    """Answers from one snapshot at a time. Safe to call from many threads."""

    def __init__(
        self,
        store: SnapshotStore,
        rewriter: QuestionRewriter,
        retriever: Retriever,
        writer: ExtractiveWriter,
        links: Links,
        observer: Observer = UNOBSERVED,
    ) -> None:
        self._store = store
        self._rewriter = rewriter
        self._retriever = retriever
        self._writer = writer
        self._links = links
        self._observer = observer

    def ask(self, question: Question) -> Answer:
        """Raises UnknownTag. Having no answer is an `Answer` too."""
        answer = self.trace(question).answer
        self._observer.answered(answer)
        return answer

    def trace(self, question: Question) -> Trace:
        """`ask`, with every candidate and the evidence."""
        started = time.perf_counter()
        snapshot = self._store.seen_by(question.viewer)
        filter = known_filter(snapshot, question.filter)
        if reply := courtesy(question.text, snapshot.manifest.articles):
            return _courteous(question, reply, snapshot.generation)
        watch = Stopwatch(self._observer)
        whole = self._find(snapshot, question, filter)
        parts = self._parts(snapshot, question, filter)
        for finding in (whole, *parts):
            watch.add(finding.retrieved.spent)
        supported, unsupported = sorted_by_evidence(whole, parts)
        passages = merged([f.retrieved.passages for f in supported or [whole]], question.limit)
        with watch.stage("writing"):
            quotes, silent = self._quotes(snapshot, supported, passages)
            cited = cite(quotes, self._links) if quotes else None
        missing = missing_notes([f.asked for f in (*unsupported, *silent)], whole.unknown) if cited else ()
        with watch.stage("relating"):
            near = self._related(snapshot, passages, cited)
        answer = self._answer(question, whole, supported, passages, cited, missing)
        took_ms = (time.perf_counter() - started) * 1000
        watch.add({"other": took_ms - sum(watch.spent.values())})
        answer = replace(
            answer,
            related=tuple(near),
            audiences=_audiences(snapshot, passages, near),
            generation=snapshot.generation,
            took_ms=round(took_ms, 2),
        )
        return Trace(answer, whole.retrieved, whole.evidence, watch.spent)

    def snapshot(self, viewer: Viewer = ANYONE) -> Snapshot:
        """The snapshot to answer this reader from now."""
        return self._store.seen_by(viewer)

    def search(self, text: str, filter: Filter, limit: int, viewer: Viewer = ANYONE) -> Retrieved:
        """Passages without an answer, best first. Raises UnknownTag."""
        snapshot = self._store.seen_by(viewer)
        standalone = self._rewriter.standalone(Question(text))
        return self._retriever.retrieve(snapshot, standalone, known_filter(snapshot, filter), limit)

    def _find(self, snapshot: Snapshot, question: Question, filter: Filter) -> Finding:
        standalone = self._rewriter.standalone(question)
        retrieved = self._retriever.retrieve(snapshot, standalone, filter, question.limit)
        unknown = unmentioned(question.text, snapshot)
        evidence = weigh(question.text, standalone.text, retrieved, snapshot.manifest.chunks, len(unknown))
        return Finding(question.text, standalone, retrieved, evidence, unknown)

    def _parts(self, snapshot: Snapshot, question: Question, filter: Filter) -> list[Finding]:
        """A finding for each part of a question that has several, none for another.

        To a later part, the parts before it are what earlier turns are to a follow-up.
        """
        texts, findings = parts_of(question.text), []
        for place, text in enumerate(texts if len(texts) > 1 else ()):
            before = tuple(Turn("user", earlier) for earlier in texts[:place])
            part = replace(question, text=text, history=(*question.history, *before))
            findings.append(self._find(snapshot, part, filter))
        return findings

    def _quotes(
        self, snapshot: Snapshot, supported: Sequence[Finding], passages: Sequence[Passage]
    ) -> tuple[list[Quote], list[Finding]]:
        """The quotations that answer, part by part, and the findings in which nothing could be quoted."""
        shown = {passage.chunk for passage in passages}
        quotes: list[Quote] = []
        silent: list[Finding] = []
        for finding in supported:
            own = [passage for passage in finding.retrieved.passages if passage.chunk in shown]
            written = self._writer.write(finding.standalone.text, own, snapshot.keywords.rarity)
            quotes += [quote for quote in written if not any(quote.overlaps(other) for other in quotes)]
            if own and not written:  # without `own`, the limit leaves it no room: nothing is known to be missing
                silent.append(finding)
        return quotes, silent

    def _answer(
        self,
        question: Question,
        whole: Finding,
        supported: Sequence[Finding],
        passages: tuple[Passage, ...],
        cited: Cited | None,
        missing: tuple[str, ...],
    ) -> Answer:
        """The answer but for its related articles, its generation and the time it took."""
        confidence = min(finding.evidence.confidence for finding in supported or [whole])
        return Answer(
            answer_id=_new_id(),
            question=question.text,
            standalone_question=whole.standalone.text,
            answered=cited is not None,
            confidence=round(confidence, 4),
            text="\n\n".join([cited.text, *missing]) if cited else self._refusal(passages),
            writer="extractive",
            segments=cited.segments if cited else (),
            citations=cited.citations if cited else (),
            passages=passages,
            related=(),
            degraded=whole.retrieved.degraded,
            generation="",
            took_ms=0.0,
            missing=missing,
        )

    def _refusal(self, passages: Sequence[Passage]) -> str:
        if not passages:
            return _NO_MATCH
        nearest = [f"- [{p.article.title}]({self._links.article(p.article.id)})" for p in nearest_articles(passages)]
        return "\n".join([f"{REFUSAL} The nearest articles:", "", *nearest])

    def _related(self, snapshot: Snapshot, passages: Sequence[Passage], cited: Cited | None) -> list[Related]:
        """Beside an answer: articles related to its first source. Beside a refusal: the nearest articles."""
        if cited:
            sources = [citation.article_id for citation in cited.citations]
            first = next(p.article for p in passages if p.article.id == sources[0])
            return related(snapshot, first, _RELATED, self._links, without=sources)
        return [
            Related(
                p.article.id, p.article.title, self._links.article(p.article.id), p.score, "nearest to the question"
            )
            for p in nearest_articles(passages)
        ]


def _audiences(snapshot: Snapshot, passages: Sequence[Passage], near: Sequence[Related]) -> tuple[tuple[str, ...], ...]:
    found = {p.article.audience for p in passages} | {snapshot.articles.audience_of(entry.article_id) for entry in near}
    return tuple(sorted(found - {()}))


def _new_id() -> str:
    return uuid.uuid4().hex


def _courteous(question: Question, reply: str, generation: str) -> Trace:
    answer = Answer(
        answer_id=_new_id(),
        question=question.text,
        standalone_question=question.text,
        answered=False,
        confidence=0.0,
        text=reply,
        writer="extractive",
        segments=(),
        citations=(),
        passages=(),
        related=(),
        degraded=(),
        generation=generation,
        took_ms=0.0,
    )
    return Trace(answer, Retrieved((), (), ()), NOTHING)


def sorted_by_evidence(whole: Finding, parts: Sequence[Finding]) -> tuple[list[Finding], list[Finding]]:
    """(findings to answer from, findings that do not support an answer).

    Where no part is supported for itself, the question as a whole still may be.
    """
    enough = [part for part in parts if part.evidence.enough]
    if enough:
        return enough, [part for part in parts if not part.evidence.enough]
    return ([whole], []) if whole.evidence.enough else ([], [])


def merged(lists: Sequence[Sequence[Passage]], limit: int) -> tuple[Passage, ...]:
    """`limit` passages, taken from the lists by turns, in the order of their scores."""
    if len(lists) == 1:
        return tuple(lists[0])
    best: dict[int, Passage] = {}
    for passage in (passage for turn in zip_longest(*lists) for passage in turn if passage is not None):
        known = best.get(passage.chunk)
        if known is None and len(best) == limit:
            break
        if known is None or passage.score > known.score:
            best[passage.chunk] = passage
    return tuple(sorted(best.values(), key=lambda passage: -passage.score))


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
