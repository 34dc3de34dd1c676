"""A question and the passages found for it, as figures: what the learned weights weigh."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from indexes.search.analysis import distinct_terms, informative_terms, terms
from indexes.types import Quotable, QuotableKind
from qa.reading.reading import SearchedQuestion
from qa.reading.term_coverage import covered, term_weights
from qa.retrieval import PassageSignals
from qa.types import Passage

Features = npt.NDArray[np.float32]

_REMEMBERED = 2_000  # passages; some 5 kB each
_SMALL_INDEX = 1_000  # chunks up to which the size of the index is not counted
_KINDS: tuple[QuotableKind, ...] = ("sentence", "item", "list", "code", "table")
# What a question's wording asks for. The weights learn what each is worth beside which passage.
_WORDINGS = (
    re.compile(r"\bhow (?:do|can|should|would|to)\b|\bsteps?\b|\bprocedure\b", re.IGNORECASE),
    re.compile(r"^\W*what(?:['’]s|s)?\b", re.IGNORECASE),
    re.compile(r"\bwhy\b|\breasons?\b|\bcauses?\b", re.IGNORECASE),
    re.compile(r"\bwhen\b|\bwhich\b|\bshould\b|\bversus\b|\bvs\b|\bdifference\b", re.IGNORECASE),
    re.compile(
        r"^\W*(?:(?:so|but|and|ok|hi)\b[\s,]*)*(?:is|are|do|does|did|can|could|should|would|will|has|have)\b",
        re.IGNORECASE,
    ),
    re.compile(
        r"\bhow (?:many|much|long|often|large|big|fast)\b|\b(?:limit|size|timeout|number|default)\b", re.IGNORECASE
    ),
    re.compile(r"\b(?:command|config\w*|code|snippet|yaml|json|sql|script|example|syntax|flag)\b", re.IGNORECASE),
    re.compile(
        r"\bwho(?:m|se)?\b|\bour\b|\btoday\b|\bcurrently\b|\bprice\b|\bcost\b"
        r"|\b(?:this|last|next) (?:week|month|quarter|year)\b",
        re.IGNORECASE,
    ),
)
_DIGIT = re.compile(r"\d")
_RUN = re.compile(r"[\w./-]+")
_DANGLING = re.compile(
    r"^\W*(?:this|that|these|those|it|its|they|their|such|here|however|therefore|also|but|and|then|so|otherwise|instead"
    r"|for example|for instance|in that case|both|neither)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class QuestionFeatures:
    """A question: its terms by rarity, its identifiers, and its wording as figures."""

    weights: Mapping[str, float]
    identifiers: tuple[str, ...]
    wording: tuple[float, ...]

    @classmethod
    def of(cls, question: SearchedQuestion) -> QuestionFeatures:
        text = question.standalone.text
        return cls(
            term_weights(text, question.vocabulary),
            tuple(word for run in _RUN.findall(text) if _is_identifier(word := run.strip("./-"))),
            tuple(float(bool(wording.search(question.text))) for wording in _WORDINGS),
        )


@dataclass(frozen=True, slots=True)
class QuotableFacts:
    """What does not depend on the question: the kind, terms and form of a quotable."""

    kind: QuotableKind
    words: frozenset[str]  # its terms, and those of the sentence that introduces it
    introduces: bool  # it ends in a colon: it comes with the block that follows it
    dangles: bool  # it points back to what stands before it
    digits: bool
    length: int  # words


def passage_features(question: SearchedQuestion, asked: QuestionFeatures) -> Features:
    """One row a passage of `question.retrieved`; figures that vectors give are 0 without vectors.

    The wording of the question is none of them: whether "how do I" tends to be answered differs from one knowledge base
    to the next.
    """
    retrieved = question.retrieved
    rows = [
        [*_own(asked, passage, signals), passage.score, math.log1p(rank)]
        for rank, (passage, signals) in enumerate(zip(retrieved.passages, retrieved.signals, strict=True))
    ]
    own = np.array(rows, dtype=np.float32).reshape(len(rows), -1)
    behind = own - own.max(axis=0, initial=-1e9)  # how far each figure is behind the best one
    place = np.array(_places([p.article.id for p in retrieved.passages]), dtype=np.float32).reshape(len(rows), -1)
    return np.concatenate([own, behind, place], axis=1)


def question_features(question: SearchedQuestion, asked: QuestionFeatures, passages: Features) -> Features:
    """One row: the best of every figure of the passages, and what the question is like."""
    retrieved = question.retrieved
    ordered = np.sort([passage.score for passage in retrieved.passages])[::-1]
    lead = float(ordered[0] - ordered[min(3, len(ordered) - 1)])
    size = math.log(max(1.0, question.chunk_count / _SMALL_INDEX))
    informative = len(informative_terms(question.standalone.text))
    known = sum(1 for term in asked.weights if question.vocabulary.occurs(term))
    own = [
        lead,
        min(2.0, float(len(question.unknown))),
        size,
        min(1.0, informative / 10),
        known / max(1, len(asked.weights)),
        float(len(retrieved.passages)) / 30,
    ]
    return np.concatenate([passages.max(axis=0), np.array(own, dtype=np.float32)])


def span_features(asked: QuestionFeatures, passage: Passage, signals: PassageSignals) -> Features:
    """One row a quotable of a passage."""
    facts = quotable_facts(passage)
    cosines = signals.spans[1:] if signals.spans is not None else np.zeros(len(facts), dtype=np.float32)
    best = float(cosines.max(initial=0.0))
    context = distinct_terms(passage.context)
    rows = []
    for index, fact in enumerate(facts):
        before = float(cosines[index - 1]) if index else 0.0
        after = float(cosines[index + 1]) if index + 1 < len(cosines) else 0.0
        own, joint = covered(asked.weights, fact.words), covered(asked.weights, fact.words, context)
        cosine = float(cosines[index])
        rows.append(
            [
                *(cosine, cosine - best, before, after, own, joint),
                *(float(fact.kind == kind) for kind in _KINDS),
                *(float(fact.introduces), float(fact.dangles), float(fact.digits), float(index == 0)),
                *(index / 10, math.log1p(fact.length), float(len(facts) == 1)),
                *asked.wording,
            ]
        )
    return np.array(rows, dtype=np.float32).reshape(len(rows), -1)


def quotable_facts(passage: Passage) -> tuple[QuotableFacts, ...]:
    """The facts of each quotable of a passage, in order."""
    quotables = passage.quotables
    if not quotables:
        return ()
    start, end = min(q.start for q in quotables), max(q.end for q in quotables)
    # Keyed by the text and not by its place: valid in every snapshot and for every viewer.
    return _facts(passage.article.markdown[start:end], start, quotables)


@lru_cache(maxsize=_REMEMBERED)
def _facts(text: str, offset: int, quotables: tuple[Quotable, ...]) -> tuple[QuotableFacts, ...]:
    texts = [text[q.start - offset : q.end - offset] for q in quotables]
    return tuple(_fact(quotables, texts, index) for index in range(len(quotables)))


def _fact(quotables: Sequence[Quotable], texts: Sequence[str], index: int) -> QuotableFacts:
    kind, text = quotables[index].kind, texts[index]
    introduced = (
        index and kind != "sentence" and quotables[index - 1].kind == "sentence" and _introduces(texts[index - 1])
    )
    return QuotableFacts(
        kind=kind,
        words=frozenset(terms(f"{texts[index - 1]} {text}" if introduced else text)),
        introduces=kind == "sentence" and _introduces(text),
        dangles=kind == "sentence" and bool(_DANGLING.match(text)),
        digits=bool(_DIGIT.search(text)),
        length=len(text.split()),
    )


def _introduces(text: str) -> bool:
    return text.rstrip("*_ ").endswith(":")


def _own(asked: QuestionFeatures, passage: Passage, signals: PassageSignals) -> list[float]:
    text, context = distinct_terms(passage.text), distinct_terms(passage.context)
    heading = distinct_terms(passage.heading[-1]) if passage.heading else frozenset()
    title = distinct_terms(passage.article.title)
    asked_terms = frozenset(asked.weights)
    spans = sorted(signals.spans[1:].tolist(), reverse=True) if signals.spans is not None else []
    spans = spans or [0.0]
    kinds = {quotable.kind for quotable in passage.quotables}
    return [
        signals.keyword,
        signals.keyword_around,
        signals.similarity or 0.0,
        signals.similarity_around or 0.0,
        signals.article_similarity or 0.0,
        spans[0],
        spans[min(1, len(spans) - 1)],
        sum(spans[:3]) / len(spans[:3]),
        float(signals.spans[0]) if signals.spans is not None else 0.0,
        covered(asked.weights, text),
        covered(asked.weights, text, context),
        covered(asked.weights, context),
        len(heading & asked_terms) / max(1, len(heading)),
        len(title & asked_terms) / max(1, len(title)),
        _written(asked.identifiers, passage),
        math.log1p(passage.start / 500),
        math.log1p(passage.end - passage.start) / 5,
        float("code" in kinds),
        float("list" in kinds or "item" in kinds),
        float("table" in kinds),
        float(not passage.heading),
    ]


def _written(identifiers: Sequence[str], passage: Passage) -> float:
    """The share of the question's identifiers that stand in a passage as they are written."""
    if not identifiers:
        return 0.0
    text = f"{passage.context}\n{passage.text}".casefold()
    return sum(identifier.casefold() in text for identifier in identifiers) / len(identifiers)


def _is_identifier(word: str) -> bool:
    inner = word[1:]
    return len(word) > 1 and (bool(_DIGIT.search(word)) or any(c in "._/-" or c.isupper() for c in inner))


def _places(articles: Sequence[str]) -> list[list[float]]:
    """For each passage: its place among those of its article, and how many of them there are."""
    total = {article: articles.count(article) for article in set(articles)}
    seen: dict[str, int] = {}
    places = []
    for article in articles:
        places.append([float(seen.get(article, 0) == 0), math.log1p(seen.get(article, 0)), math.log1p(total[article])])
        seen[article] = seen.get(article, 0) + 1
    return places
