"""Puts together what answers questions over an index, for every command, the server, the tests and the benchmarks."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from indexes.errors import ModelUnavailable
from indexes.models.embedding import Embedder, load_embedder
from indexes.models.word_list import WordList
from indexes.settings import IndexSettings
from indexes.snapshots.store import SnapshotStore
from qa.answering import Answerer
from qa.corpus import CorpusStore
from qa.embedding_deadline import DeadlineEmbedder
from qa.links import Links
from qa.observing import UNOBSERVED, Observer
from qa.question.follow_ups import HistoryRewriter
from qa.question.spelling import Speller
from qa.reading.learned_scorer import LearnedScorer
from qa.retrieval import QuestionEmbedder, Retriever
from qa.writing.extractive import ExtractiveWriter
from qa.writing.verifying import QuotationVerifier

log = logging.getLogger(__name__)

OpenStore: TypeAlias = Callable[[Path], SnapshotStore]
FindEmbedder: TypeAlias = Callable[[SnapshotStore, IndexSettings], QuestionEmbedder | None]


@dataclass(frozen=True, slots=True)
class AnsweringParts:
    """What answers over one index. `embedder` is None where keywords alone answer."""

    store: CorpusStore
    embedder: QuestionEmbedder | None
    links: Links
    answerer: Answerer


def required_embedder(store: SnapshotStore, settings: IndexSettings) -> Embedder:
    """The model of the settings. Raises ModelUnavailable, and SnapshotIncompatible for the index of another model."""
    embedder = load_embedder(settings.model, settings.models, settings.precision, settings.adapter)
    store.require_embedder(embedder.id)
    return embedder


def available_embedder(store: SnapshotStore, settings: IndexSettings) -> QuestionEmbedder | None:
    """The model of the settings within a deadline, or None where it is missing: then keywords alone answer.

    Raises SnapshotIncompatible.
    """
    try:
        embedder = required_embedder(store, settings)
    except ModelUnavailable as error:
        log.warning("%s Until then keywords alone answer.", error)
        return None
    return DeadlineEmbedder(embedder, workers=os.cpu_count() or 1)


def build_answering(
    settings: IndexSettings,
    *,
    public_url: str = "",
    observer: Observer = UNOBSERVED,
    open_store: OpenStore = SnapshotStore,
    find_embedder: FindEmbedder = available_embedder,
) -> AnsweringParts:
    """Raises SnapshotMissing before the first ingest, SnapshotIncompatible for the index of another model."""
    store, links = open_store(settings.index), Links(public_url)
    embedder = find_embedder(store, settings)
    return AnsweringParts(store, embedder, links, build_answerer(store, embedder, links, observer))


def build_answerer(
    store: CorpusStore, embedder: QuestionEmbedder | None, links: Links, observer: Observer = UNOBSERVED
) -> Answerer:
    retriever = Retriever(embedder, observer=observer)
    return Answerer(
        store,
        Speller(WordList()),
        HistoryRewriter(),
        retriever,
        LearnedScorer(),
        ExtractiveWriter(),
        QuotationVerifier(),
        links,
        observer,
    )
