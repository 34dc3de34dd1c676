"""Messages as Slack takes them, and the blocks they are made of.

Blocks are built with the models of `slack_sdk`, which refuse what Slack would refuse. Every text is `verbatim`, so that
Slack makes no links and mentions out of the words of an article or a question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from slack_sdk.models.blocks import Block, ContextBlock, SectionBlock
from slack_sdk.models.blocks.basic_components import MarkdownTextObject

from web.slack import mrkdwn
from web.slack.mrkdwn import Paragraph
from web.slack.paragraphs import paragraphs as paragraphs_of

Payload: TypeAlias = dict[str, Any]

_SECTION = 2_900  # characters, of the 3,000 that Slack allows: https://docs.slack.dev/reference/block-kit


@dataclass(frozen=True, slots=True)
class Message:
    """`text`: for notifications and screen readers, and shown if there are no `blocks`."""

    text: str
    blocks: tuple[Payload, ...] = ()

    def payload(self) -> Payload:
        """For the Web API and a response_url; links are not unfurled."""
        payload: Payload = {"text": self.text, "unfurl_links": False, "unfurl_media": False}
        return {**payload, "blocks": list(self.blocks)} if self.blocks else payload


def plain_message(text: str) -> Message:
    """Plain text as a message."""
    return Message(
        mrkdwn.escaped(text), payloads([section(text) for text in texts_of([Paragraph(mrkdwn.words(text))])])
    )


def markdown_message(markdown: str) -> Message:
    """Markdown as a message."""
    texts = texts_of(paragraphs_of(markdown))
    return Message("\n\n".join(texts), payloads([section(text) for text in texts]))


def texts_of(paragraphs: Sequence[Paragraph]) -> list[str]:
    return mrkdwn.fitted(paragraphs, _SECTION)


def section(text: str) -> SectionBlock:
    return SectionBlock(text=MarkdownTextObject(text=text, verbatim=True), expand=True)


def context(text: str) -> ContextBlock:
    return ContextBlock(elements=[MarkdownTextObject(text=text, verbatim=True)])


def payloads(blocks: Sequence[Block]) -> tuple[Payload, ...]:
    return tuple(block.to_dict() for block in blocks)
