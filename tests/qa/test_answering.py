"""The whole road on tiny articles with the real model: answers, refusals, filters, follow-ups."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexes.models.embedding import Embedder
from indexes.models.word_list import WordList
from indexes.settings import IndexSettings
from indexes.types import Filter, FloatMatrix
from qa.answering import Answerer, Piece, Sources
from qa.composition import build_answering
from qa.errors import UnknownTag
from qa.links import Links
from qa.question.follow_ups import HistoryRewriter
from qa.question.spelling import Speller
from qa.reading.learned_scorer import LearnedScorer
from qa.retrieval import QuestionEmbedder, Retriever
from qa.types import REFUSAL, Answer, AnswerKind, Question, Turn
from qa.writing.citing import Cited, check
from qa.writing.extractive import ExtractiveWriter
from qa.writing.statements import Statement
from qa.writing.verifying import Support
from tests.conftest import TINY, Site, write_articles


def answerer_with(embedder: QuestionEmbedder | None, index: Path) -> Answerer:
    settings = IndexSettings(index=index)
    return build_answering(settings, find_embedder=lambda store, settings: embedder).answerer


def ask(site: Site, text: str, **more: object) -> Answer:
    return site.services.answerer.ask(Question(text, **more))  # type: ignore[arg-type]


def test_an_answer_quotes_the_article_that_answers(tiny_site: Site) -> None:
    answer = ask(tiny_site, "How long does an access token live?")
    assert answer.answered
    assert answer.citations[0].article_id == "tokens"
    assert "10 minutes" in answer.text


def test_every_citation_is_exactly_its_place(tiny_site: Site) -> None:
    for text in (
        "How do I roll back a deployment?",
        "What are the steps to retry a payment?",
        "Which settings keep sessions alive?",
    ):
        answer = ask(tiny_site, text)
        assert answer.answered, text
        for citation in answer.citations:
            article = tiny_site.services.store.current().articles.article(citation.article_id)
            assert article is not None
            assert article.markdown[citation.start : citation.end] == citation.quote


def test_a_command_is_answered_with_its_code_block_and_its_introduction(tiny_site: Site) -> None:
    answer = ask(tiny_site, "What command rolls back the deployment?")
    assert "```bash\nkubectl rollout undo deployment/web\n```" in answer.text
    assert answer.text.index("Run the command below") < answer.text.index("```bash")


def test_a_question_about_something_else_is_declined_with_the_nearest_articles(tiny_site: Site) -> None:
    answer = ask(tiny_site, "What is the capital of Mongolia?")
    assert not answer.answered
    assert answer.text.startswith(REFUSAL)
    assert answer.citations == ()
    assert answer.related
    assert answer.confidence < 0.5


def test_a_filter_keeps_other_articles_out_of_the_answer_and_the_passages(tiny_site: Site) -> None:
    answer = ask(tiny_site, "How long does an access token live?", filter=Filter(("http",)))
    assert {p.article.id for p in answer.passages} == {"caching"}


def test_a_filter_that_leaves_nothing_declines(tiny_site: Site) -> None:
    answer = ask(tiny_site, "How long does an access token live?", filter=Filter(("http", "auth"), "all"))
    assert not answer.answered
    assert answer.passages == ()


def test_an_unknown_tag_is_refused_with_near_ones(tiny_site: Site) -> None:
    with pytest.raises(UnknownTag, match="observability"):
        ask(tiny_site, "logs?", filter=Filter(("observabilty",)))


def test_tags_are_known_whatever_their_case(tiny_site: Site) -> None:
    assert ask(tiny_site, "How are logs written?", filter=Filter(("Observability",))).passages


def test_a_follow_up_finds_what_the_earlier_question_was_about(tiny_site: Site) -> None:
    history = (Turn("user", "How are refresh tokens rotated?"), Turn("assistant", "…"))
    answer = ask(tiny_site, "and when one is used twice?", history=history)
    assert answer.standalone_question == "How are refresh tokens rotated? and when one is used twice?"
    assert answer.passages[0].article.id == "tokens"


def test_an_answer_names_related_articles_but_not_its_own_sources(tiny_site: Site) -> None:
    answer = ask(tiny_site, "What happens when a refresh token is presented twice?")
    assert "retries" in [r.article_id for r in answer.related]
    assert "tokens" not in [r.article_id for r in answer.related]
    assert next(r for r in answer.related if r.article_id == "retries").reason == "same topic: auth"


def test_without_the_model_keywords_answer_and_the_answer_says_so(tiny_site: Site) -> None:
    answer = answerer_with(None, tiny_site.index).ask(Question("How do I roll back the deployment?"))
    assert answer.degraded == ("vectors",)
    assert answer.passages[0].article.id == "guides/deploying"


def test_a_model_that_fails_on_a_question_leaves_a_degraded_answer_and_no_error(tiny_site: Site) -> None:
    class Broken:
        def embed_question(self, text: str) -> FloatMatrix:
            raise RuntimeError("out of memory")

    assert answerer_with(Broken(), tiny_site.index).ask(Question("How do I roll back the deployment?")).degraded == (
        "vectors",
    )


@pytest.mark.parametrize(
    "text",
    [
        "node not ready?",
        "C++",
        ".NET",
        "10.0.0.1",
        "what's up",
        "???",
        "a OR b AND (",
        '"',
        "' ; DROP TABLE x",
        "🙂",
        "的",
        "x" * 4000,
    ],
)
def test_no_question_is_a_syntax_error(tiny_site: Site, text: str) -> None:
    answer = ask(tiny_site, text)
    assert answer.text
    assert answer.generation == "000001"


def test_the_check_of_citations_accepts_every_real_answer(tiny_site: Site) -> None:
    trace = tiny_site.services.answerer.trace(Question("How do I retry a payment?"))
    assert trace.answer.answered
    check(Cited(trace.answer.text, trace.answer.segments, trace.answer.citations), trace.retrieved.passages)


def test_each_part_of_a_question_is_answered(tiny_site: Site) -> None:
    answer = ask(tiny_site, "How long does an access token live and how do I roll back a deployment?")
    assert {c.article_id for c in answer.citations} == {"tokens", "guides/deploying"}
    assert answer.missing == ()


def test_a_part_without_an_answer_is_said_to_be_missing(tiny_site: Site) -> None:
    answer = ask(tiny_site, "How long does an access token live and who won the world cup in 1998?")
    assert "10 minutes" in answer.text
    assert answer.missing == ("The knowledge base does not say: who won the world cup in 1998?",)
    assert answer.text.endswith(answer.missing[0])


def test_a_question_of_which_no_part_has_an_answer_is_declined(tiny_site: Site) -> None:
    answer = ask(tiny_site, "What is the capital of Mongolia and who won the world cup in 1998?")
    assert not answer.answered
    assert answer.missing == ()


def test_a_later_part_may_point_back_to_an_earlier_one(tiny_site: Site) -> None:
    answer = ask(tiny_site, "What happens when a refresh token is presented twice and how long does it live?")
    assert answer.answered
    assert {c.article_id for c in answer.citations} == {"tokens"}


def test_a_name_that_no_article_mentions_is_said_to_be_unmentioned(tiny_site: Site) -> None:
    answer = ask(tiny_site, "How do I roll back a deployment with the command kubectl on Oracle?")
    assert answer.missing == ("The knowledge base does not mention Oracle.",)


@pytest.mark.parametrize("text", ["Rolling back a deployment", "how do I roll back a deployment with KUBECTL?"])
def test_words_of_the_articles_are_never_said_to_be_unmentioned(tiny_site: Site, text: str) -> None:
    assert ask(tiny_site, text).missing == ()


def test_every_cited_passage_is_among_the_passages_however_few_are_asked_for(tiny_site: Site) -> None:
    text = "How long does an access token live and how do I roll back a deployment?"
    for limit in (1, 2, 8):
        answer = ask(tiny_site, text, limit=limit)
        shown = {(p.article.id, p.start) for p in answer.passages}
        assert len(answer.passages) <= limit
        assert all(any(a == c.article_id and s <= c.end for a, s in shown) for c in answer.citations)
        scores = [p.score for p in answer.passages]
        assert scores == sorted(scores, reverse=True)


def test_the_same_text_in_two_articles_is_one_passage(site: Site) -> None:
    write_articles(site.source, {"copies/tokens": TINY["tokens"]})
    site.ingest()
    answer = ask(site, "How long does an access token live?")
    texts = [passage.text for passage in answer.passages]
    assert len(texts) == len(set(texts))
    assert len({citation.quote for citation in answer.citations}) == len(answer.citations)


def test_a_sentence_that_only_points_to_another_place_is_not_all_that_answers(site: Site) -> None:
    article = """---
title: Choosing a cache key
tags: [caching]
---
Cache keys are covered in [caching](caching.md). A cache key names the method, the host and the path of a request.
"""
    write_articles(site.source, {"cache-keys": article})
    site.ingest()
    answer = ask(site, "What is in a cache key?")
    (citation,) = answer.citations
    markdown = site.services.store.current().articles.article("cache-keys").markdown  # type: ignore[union-attr]
    assert "A cache key names the method, the host and the path of a request." in [
        markdown[span.start : span.end] for span in citation.key
    ]


def test_an_answer_says_what_kind_it_is(tiny_site: Site) -> None:
    texts = ("How long does an access token live?", "Who won the world cup in 1998?", "hello")
    kinds = [ask(tiny_site, text).kind for text in texts]
    assert kinds == [AnswerKind.ANSWERED, AnswerKind.REFUSED, AnswerKind.COURTESY]


@pytest.mark.parametrize(
    "text",
    [
        "How long does an access token live and how do I roll back a deployment?",
        "How long does an access token live and who won the world cup in 1998?",
        "What is the capital of Mongolia?",
        "hello",
    ],
)
def test_a_stream_gives_the_sources_the_pieces_of_the_text_and_the_answer(tiny_site: Site, text: str) -> None:
    sources, *pieces, answer = tiny_site.services.answerer.stream(Question(text))
    assert isinstance(sources, Sources)
    assert isinstance(answer, Answer)
    assert sources.passages == answer.passages
    assert (
        "".join(piece.text for piece in pieces if isinstance(piece, Piece)) == answer.text == ask(tiny_site, text).text
    )


class OnlySupports:
    """Supports the statements that hold a word."""

    def __init__(self, word: str) -> None:
        self._word = word

    def supports(self, statement: Statement) -> Support:
        return Support(self._word in statement.text, "the word is missing")


def verified_by(site: Site, embedder: Embedder, verifier: OnlySupports) -> Answerer:
    return Answerer(
        site.services.store,
        Speller(WordList()),
        HistoryRewriter(),
        Retriever(embedder),
        LearnedScorer(),
        ExtractiveWriter(),
        verifier,
        Links(),
    )


def test_a_statement_that_its_quotations_do_not_support_is_left_out(tiny_site: Site, embedder: Embedder) -> None:
    question = Question("What command rolls back the deployment?")
    answer = verified_by(tiny_site, embedder, OnlySupports("kubectl")).ask(question)
    assert answer.text == "```bash\nkubectl rollout undo deployment/web\n```\n\n[1]"
    assert [citation.n for citation in answer.citations] == [1]


def test_of_an_answer_of_which_nothing_is_supported_nothing_is_asserted(tiny_site: Site, embedder: Embedder) -> None:
    answer = verified_by(tiny_site, embedder, OnlySupports("no such word")).ask(
        Question("What command rolls back the deployment?")
    )
    assert answer.kind is AnswerKind.CLOSEST
    assert answer.citations == ()
