"""Answers for Slack, from the articles that Slack may show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from indexes.snapshots.snapshot import Snapshot
from indexes.snapshots.store import SnapshotStore
from indexes.types import Filter, Viewer
from qa.answering import Answerer
from qa.conversations import Conversations
from qa.errors import JournalUnavailable, UnknownAnswer, UnknownConversation, UnknownTag
from qa.journal.records import AnswerRecord, Feedback
from qa.links import Links
from qa.types import Answer, Citation, Passage, Question
from web import templating
from web.slack.asking import SlackQuestion
from web.slack.errors import Declined
from web.slack.messages import More

_FURTHER = 5  # passages that "Show more" shows
_CANDIDATES = 15

_NOT_KEPT = "This answer is not kept any more: please ask again."
_NO_JOURNAL = "Answers that were given cannot be read or written at the moment: please try again later."
_CHANGED = "The articles behind this answer have changed since it was given: please ask again."


@dataclass(frozen=True, slots=True)
class Answering:
    """Every method blocks, and raises Declined with what to tell the asker."""

    store: SnapshotStore
    answerer: Answerer
    conversations: Conversations
    links: Links
    viewer: Viewer
    owner: str  # of the conversations: all of Slack, as everybody in a thread may go on with it

    def snapshot(self) -> Snapshot:
        """The articles that Slack may show."""
        return self.store.seen_by(self.viewer)

    def ask(self, asked: SlackQuestion, conversation_id: str | None = None) -> Answer:
        """Answer in the conversation named, which need not have begun, or in one of its own."""
        question = Question(asked.text, Filter(asked.tags), viewer=self.viewer)
        try:
            return self.conversations.reply(
                self._prepared(question, conversation_id), conversation_id, self.owner
            ).answer
        except UnknownTag as error:
            raise Declined(templating.no_tag(error)) from error

    def kept(self, answer_id: str) -> AnswerRecord:
        """An answer that was given, its footnotes where the words are today."""
        try:
            kept = self.conversations.answer(answer_id, self.viewer)
        except UnknownAnswer as error:
            raise Declined(_NOT_KEPT) from error
        except JournalUnavailable as error:
            raise Declined(_NO_JOURNAL) from error
        snapshot = self.snapshot()
        answer = kept.answer
        related = tuple(found for found in answer.related if snapshot.articles.article(found.article_id) is not None)
        if not answer.answered and related != answer.related:  # its text names them
            raise Declined(_CHANGED)
        citations = tuple(self._today(citation, snapshot) for citation in answer.citations)
        return replace(kept, answer=replace(answer, citations=citations, related=related))

    def more(self, kept: AnswerRecord) -> More:
        """What else was found for the question of an answer."""
        answer = kept.answer
        try:
            found = self.answerer.search(answer.standalone_question, kept.filter, _CANDIDATES, self.viewer).passages
        except UnknownTag:  # the tag is gone, and with it what it led to
            found = ()
        passages = [passage for passage in found if not _quoted(passage, answer.citations)]
        related = answer.related if answer.answered else ()
        return More(tuple(passages[:_FURTHER]), related)

    def judge(self, answer_id: str, feedback: Feedback) -> None:
        """Keep what somebody thought of an answer."""
        try:
            self.conversations.give_feedback(answer_id, feedback, self.owner)
        except UnknownAnswer as error:
            raise Declined(_NOT_KEPT) from error
        except JournalUnavailable as error:
            raise Declined(_NO_JOURNAL) from error

    def _prepared(self, question: Question, conversation_id: str | None) -> Question:
        try:
            return self.conversations.prepare(question, conversation_id, self.owner)
        except UnknownConversation:  # a thread in which nobody has asked yet
            return question

    def _today(self, citation: Citation, snapshot: Snapshot) -> Citation:
        article = snapshot.articles.article(citation.article_id)
        if article is None:
            raise Declined(_CHANGED)
        start = citation.start
        if article.markdown[start : citation.end] != citation.quote:
            start = article.markdown.find(citation.quote)
        if start < 0:
            raise Declined(_CHANGED)
        end = start + len(citation.quote)
        return replace(citation, start=start, end=end, url=self.links.passage(article.id, start, end))


def _quoted(passage: Passage, citations: Sequence[Citation]) -> bool:
    """Whether the answer quotes from this passage already."""
    return any(
        citation.article_id == passage.article.id and citation.start < passage.end and passage.start < citation.end
        for citation in citations
    )
