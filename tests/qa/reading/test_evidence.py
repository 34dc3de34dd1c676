from __future__ import annotations

from dataclasses import replace

import pytest

from qa.reading.evidence import NO_EVIDENCE, Evidence, weigh
from qa.reading.reading import ENOUGH, SearchedQuestion
from qa.retrieval import Retrieved
from qa.types import Probe, Question, Standalone
from tests.conftest import Site

GOOD = Evidence(similarity=0.7, matched=0.6, detail=0.4, closed=0.0, particular=0.0, unknown=0.0, size=0.0)


def evidence(site: Site, text: str) -> Evidence:
    return Evidence(**site.services.answerer.trace(Question(text)).reading.signals)


@pytest.mark.parametrize(
    "weaker",
    [
        replace(GOOD, similarity=0.5),
        replace(GOOD, matched=0.3),
        replace(GOOD, detail=0.1),
        replace(GOOD, closed=1.0),
        replace(GOOD, particular=1.0),
        replace(GOOD, unknown=1.0),
        replace(GOOD, size=5.0),
    ],
)
def test_less_evidence_means_less_confidence(weaker: Evidence) -> None:
    assert weaker.confidence < GOOD.confidence


def test_nothing_found_is_no_evidence(tiny_site: Site) -> None:
    standalone = Standalone("anything?", (Probe("anything?", 1.0),))
    vocabulary = tiny_site.services.store.current().vocabulary
    searched = SearchedQuestion("anything?", standalone, Retrieved((), (), ()), (), vocabulary, 10)
    assert weigh(searched) == NO_EVIDENCE
    assert NO_EVIDENCE.confidence < ENOUGH


def test_a_question_in_the_words_of_an_article_has_enough_evidence(tiny_site: Site) -> None:
    found = evidence(tiny_site, "How many times does a client retry an idempotent request?")
    assert found.confidence >= ENOUGH
    assert found.matched > evidence(tiny_site, "How do I bake sourdough bread?").matched


@pytest.mark.parametrize(
    "text", ["Is an ETag a header?", "so, does a canary get all the traffic?", "Can't I retry a payment?"]
)
def test_a_question_for_a_yes_or_no_is_known_as_one(tiny_site: Site, text: str) -> None:
    assert evidence(tiny_site, text).closed == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "Who is on call this weekend?",
        "On what date does the contract end?",
        "How much do we spend on hosting?",
        "Which vendor do we use for paging?",
        "When was the last outage?",
    ],
)
def test_a_question_for_a_fact_of_one_moment_is_known_as_one(tiny_site: Site, text: str) -> None:
    assert evidence(tiny_site, text).particular == 1.0


@pytest.mark.parametrize(
    "text", ["How do I retry a payment?", "What does a canary release do?", "retry whoever failed"]
)
def test_a_question_for_how_things_work_is_neither(tiny_site: Site, text: str) -> None:
    assert (evidence(tiny_site, text).closed, evidence(tiny_site, text).particular) == (0.0, 0.0)


def test_names_that_no_article_mentions_count_against_an_answer(tiny_site: Site) -> None:
    known, unknown = (
        evidence(tiny_site, f"How do I roll back a deployment with {name}?") for name in ("kubectl", "ArgoCD")
    )
    assert (known.unknown, unknown.unknown) == (0.0, 1.0)
