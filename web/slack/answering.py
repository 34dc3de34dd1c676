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
from qa.types import Answer, AnswerKind, Citation, Passage, Question, Section
from web import templating
from web.rendering.answer_view import current_citation, current_sections
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
        if answer.kind is AnswerKind.REFUSED and related != answer.related:  # its text names the missing ones
            raise Declined(_CHANGED)
        current = replace(
            answer,
            citations=tuple(self._current(citation, corpus) for citation in answer.citations),
            closest=tuple(self._current(citation, corpus) for citation in answer.closest),
            elsewhere=current_sections(answer.elsewhere, corpus, self.links),
            related=related,
        )
        return replace(record, answer=current)

    def more(self, record: AnswerRecord) -> More:
        """Further passages and related articles for the question of an answer."""
        answer = record.answer
        try:
            candidates = self.answerer.search(
                answer.standalone_question, record.filter, _CANDIDATES, self.viewer
            ).passages
        except UnknownTag:  # no article carries the tag any more
            candidates = ()
        shown: list[Citation | Section] = [*answer.citations, *answer.closest, *answer.elsewhere]
        passages = [passage for passage in candidates if not _is_shown(passage, shown)]
        related = answer.related if answer.kind is not AnswerKind.REFUSED else ()
        return More(answer.elsewhere, tuple(passages[:_FURTHER]), related)

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

    def _current(self, citation: Citation, corpus: Corpus) -> Citation:
        current = current_citation(citation, corpus, self.links)
        if current is None:
            raise Declined(_CHANGED)
        return current


def _is_shown(passage: Passage, shown: Sequence[Citation | Section]) -> bool:
    """Whether the message already has words of this passage."""
    return any(
        part.article_id == passage.article.id and part.start < passage.end and passage.start < part.end
        for part in shown
    )
