"""Slash commands: `/ask …`, answered to the asker alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from web.slack.answer_messages import MORE, SHARE, answer_message
from web.slack.answering import Answering
from web.slack.asking import SlackQuestion, parse_question
from web.slack.messages import Message, Payload, markdown_message, plain_message
from web.slack.sending import ResponseUrls, require_slack
from web.slack.worker import BUSY, Job, JobWorker


@dataclass(frozen=True, slots=True)
class SlashCommands:
    answering: Answering
    worker: JobWorker
    response_urls: ResponseUrls

    def receive(self, form: Mapping[str, str]) -> Payload | None:
        """The reply to show at once; None if the answer follows. Raises NotSlack."""
        question = parse_question(form.get("text", ""))
        if question.asks_for_help:
            return _ephemeral(help_for(form.get("command") or "/ask"))
        if question.problem:
            return _ephemeral(plain_message(question.problem))
        url = form.get("response_url", "")
        require_slack(url)
        send = partial(self.response_urls.send, url)
        if self.worker.offer(Job(partial(self._answer, question), send, send)):
            return None
        return _ephemeral(BUSY)

    def _answer(self, question: SlackQuestion) -> Message:
        answer = self.answering.ask(question)
        corpus, links = self.answering.corpus(), self.answering.links
        return answer_message(answer, corpus, links, question=question.text, buttons=(SHARE, MORE))


def _ephemeral(message: Message) -> Payload:
    return {"response_type": "ephemeral", **message.payload()}


def help_for(command: str) -> Message:
    """How to ask. `command`: the name of the slash command in this workspace."""
    name = command.replace("`", "")
    return markdown_message(
        "I answer questions from the knowledge base: every sentence is quoted from an article, with a footnote that "
        "leads there; when the articles do not say, I say so.\n\n"
        f"- `{name} What happens when a refresh token is used twice?`\n"
        f"- `{name} tag:kubernetes How do I roll back?` keeps to articles with this tag, or one of several\n"
        f'- `{name} tag:"api design" How do I version an API?`\n\n'
        "Only you see the answer, until you share it. Mention me in a channel, or write to me directly, and I answer "
        "in the thread, where you can go on asking."
    )
