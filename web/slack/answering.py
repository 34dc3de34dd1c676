"""Answers questions from Slack, from the articles that Slack may show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from indexes.types import Filter, Viewer
from qa.answering import Answerer
from qa.conversations import Conversations
from qa.corpus import Corpus, CorpusStore
from qa.errors import JournalUnavailable, UnknownAnswer, UnknownConversation, UnknownTag
from qa.journal.records import AnswerRecord, Feedback
from qa.links import Links
from qa.types import Answer, Citation, Passage, Question
from web import templating
from web.rendering.answer_view import current_span
from web.slack.answer_messages import More
from web.slack.asking import SlackQuestion
from web.slack.errors import Declined

_FURTHER = 5  # passages that "Show more" shows
_CANDIDATES = 15  # searched for these, as the answer quotes many of them already

_NOT_RECORDED = "This answer is not kept any more: please ask again."
_NO_JOURNAL = "Answers that were given cannot be read or written at the moment: please try again later."
_CHANGED = "The articles behind this answer have changed since it was given: please ask again."


@dataclass(frozen=True, slots=True)
class Answering:
    """Every method blocks, and raises Declined with a message for the asker."""

    store: CorpusStore
    answerer: Answerer
    conversations: Conversations
    links: Links
    viewer: Viewer
    owner: str  # of the conversations: all of Slack, as anybody in a thread may continue it

    def corpus(self) -> Corpus:
        """The articles that Slack may show."""
        return self.store.seen_by(self.viewer)

    def ask(self, slack_question: SlackQuestion, conversation_id: str | None = None) -> Answer:
        """Answers in the conversation named, which may not exist yet, or in a new one."""
        question = Question(slack_question.text, Filter(slack_question.tags), viewer=self.viewer)
        try:
            return self.conversations.reply(
                self._with_history(question, conversation_id), conversation_id, self.owner
            ).answer
        except UnknownTag as error:
            raise Declined(templating.no_tag(error)) from error

    def record(self, answer_id: str) -> AnswerRecord:
        """An earlier answer; its footnotes lead to where the quoted words are today."""
        try:
            record = self.conversations.answer(answer_id, self.viewer)
        except UnknownAnswer as error:
            raise Declined(_NOT_RECORDED) from error
        except JournalUnavailable as error:
            raise Declined(_NO_JOURNAL) from error
        corpus = self.corpus()
        answer = record.answer
        related = tuple(r for r in answer.related if corpus.articles.article(r.article_id) is not None)
        if not answer.answered and related != answer.related:  # its text names the missing ones
            raise Declined(_CHANGED)
        citations = tuple(self._current_citation(citation, corpus) for citation in answer.citations)
        return replace(record, answer=replace(answer, citations=citations, related=related))

    def more(self, record: AnswerRecord) -> More:
        """Further passages and related articles for the question of an answer."""
        answer = record.answer
        try:
            candidates = self.answerer.search(
                answer.standalone_question, record.filter, _CANDIDATES, self.viewer
            ).passages
        except UnknownTag:  # no article carries the tag any more
            candidates = ()
        passages = [passage for passage in candidates if not _is_quoted(passage, answer.citations)]
        related = answer.related if answer.answered else ()
        return More(tuple(passages[:_FURTHER]), related)

    def judge(self, answer_id: str, feedback: Feedback) -> None:
        """Records feedback on an answer."""
        try:
            self.conversations.give_feedback(answer_id, feedback, self.owner)
        except UnknownAnswer as error:
            raise Declined(_NOT_RECORDED) from error
        except JournalUnavailable as error:
            raise Declined(_NO_JOURNAL) from error

    def _with_history(self, question: Question, conversation_id: str | None) -> Question:
        try:
            return self.conversations.prepare(question, conversation_id, self.owner)
        except UnknownConversation:  # a thread without an earlier question
            return question

    def _current_citation(self, citation: Citation, corpus: Corpus) -> Citation:
        span = current_span(citation, corpus.articles.article(citation.article_id))
        if span is None:
            raise Declined(_CHANGED)
        start, end = span
        return replace(citation, start=start, end=end, url=self.links.passage(citation.article_id, start, end))


def _is_quoted(passage: Passage, citations: Sequence[Citation]) -> bool:
    """Whether the answer already quotes from this passage."""
    return any(
        citation.article_id == passage.article.id and citation.start < passage.end and passage.start < citation.end
        for citation in citations
    )
