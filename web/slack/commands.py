"""Slash commands: `/ask …`, answered to the asker alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from web.slack import messages
from web.slack.answering import Answering
from web.slack.asking import SlackQuestion, asked
from web.slack.messages import MORE, SHARE, Message, Payload, said, written
from web.slack.sending import ResponseUrls, require_slack
from web.slack.worker import BUSY, Job, JobWorker


@dataclass(frozen=True, slots=True)
class SlashCommands:
    answering: Answering
    worker: JobWorker
    response_urls: ResponseUrls

    def receive(self, form: Mapping[str, str]) -> Payload | None:
        """What to show the asker at once, None if the answer follows. Raises NotSlack."""
        question = asked(form.get("text", ""))
        if question.for_help:
            return _at_once(help_for(form.get("command") or "/ask"))
        if question.wrong:
            return _at_once(said(question.wrong))
        url = form.get("response_url", "")
        require_slack(url)
        send = partial(self.response_urls.send, url)
        if self.worker.offer(Job(partial(self._answer, question), send, send)):
            return None
        return _at_once(BUSY)

    def _answer(self, question: SlackQuestion) -> Message:
        answer = self.answering.ask(question)
        snapshot, links = self.answering.snapshot(), self.answering.links
        return messages.answered(answer, snapshot, links, question=question.text, buttons=(SHARE, MORE))


def _at_once(message: Message) -> Payload:
    return {"response_type": "ephemeral", **message.payload()}


def help_for(command: str) -> Message:
    """What can be asked, and how. `command` is what the slash command is called in this workspace."""
    name = command.replace("`", "")
    return written(
        "I answer questions from the knowledge base: every sentence is quoted from an article, with a footnote that "
        "leads there; when the articles do not say, I say so.\n\n"
        f"- `{name} How do I rotate refresh tokens?`\n"
        f"- `{name} tag:kubernetes How do I roll back?` keeps to articles with this tag, or one of several\n"
        f'- `{name} tag:"api design" How do I version an API?`\n\n'
        "Only you see the answer, until you share it. Mention me in a channel, or write to me directly, and I answer "
        "in the thread, where you can go on asking."
    )
