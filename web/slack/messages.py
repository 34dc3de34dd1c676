"""What does an answer look like in Slack?

Blocks are built with the models of `slack_sdk`, which refuse what Slack would refuse. Every text is `verbatim`, so that
Slack makes no links and mentions of what an article or a question happens to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeAlias

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement, ContextBlock, SectionBlock
from slack_sdk.models.blocks.basic_components import MarkdownTextObject, PlainTextObject

from indexes.snapshots.snapshot import Snapshot
from qa.conversations import UNKEPT
from qa.links import Links
from qa.types import REFUSAL, Answer, AnswerKind, Citation, Passage, Related, Segment
from web.rendering import answer_view, answers
from web.slack import mrkdwn
from web.slack.inline import inline
from web.slack.mrkdwn import Paragraph
from web.slack.paragraphs import paragraphs as paragraphs_of

Payload: TypeAlias = dict[str, Any]

# Of Slack: https://docs.slack.dev/reference/block-kit. Beyond 13,000 characters in all of a message's blocks, which is
# not documented, it answers `msg_blocks_too_long`.
_SECTION = 2_900  # of 3,000 characters
_BODY_SECTIONS = 2  # of an answer; two for its sources and what "Show more" adds make 11,600 characters
_FALLBACK = 300  # characters of the text for notifications
_QUESTION = 250  # characters of a question that is shown above its answer
_PLACE = 160  # characters of an article's title and heading
_EXCERPT = 240  # characters of a further passage
_SOURCES = 10

SHARE, MORE, HELPFUL, NOT_HELPFUL, MISSING, REASON = "share", "more", "helpful", "not_helpful", "missing", "reason_"


@dataclass(frozen=True, slots=True)
class Message:
    """`text` is for notifications and screen readers, `blocks` are what is shown. None: `text` is shown."""

    text: str
    blocks: tuple[Payload, ...] = ()

    def payload(self) -> Payload:
        """As the Web API and a response_url take it: nothing is unfurled."""
        payload: Payload = {"text": self.text, "unfurl_links": False, "unfurl_media": False}
        return {**payload, "blocks": list(self.blocks)} if self.blocks else payload


@dataclass(frozen=True, slots=True)
class More:
    """What "Show more" adds to an answer."""

    passages: tuple[Passage, ...]
    related: tuple[Related, ...]


def said(text: str) -> Message:
    """Plain text as a message."""
    return Message(mrkdwn.escaped(text), _shown([_section(text) for text in _texts([Paragraph(mrkdwn.words(text))])]))


def written(markdown: str) -> Message:
    """Markdown as a message."""
    texts = _texts(paragraphs_of(markdown))
    return Message("\n\n".join(texts), _shown([_section(text) for text in texts]))


def answered(
    answer: Answer,
    snapshot: Snapshot,
    links: Links,
    *,
    question: str = "",
    shared_by: str = "",
    more: More | None = None,
    buttons: Sequence[str] = (),
) -> Message:
    """An answer with its sources and buttons. `question` is shown above it; `shared_by` is the id of a Slack user.

    `buttons` stand before those that judge it.
    """
    blocks: list[Block] = []
    if question:
        blocks.append(_section(_bold(_shortened(question, _QUESTION))))
    blocks += [_section(text) for text in _body(answer)]
    if answer.answered:
        blocks.append(_context(" · ".join([answer_view.in_words(answer.confidence), *answer_view.doubts(answer)])))
        blocks += [_section(text) for text in _sources(answer, snapshot)]
    if more:
        blocks += [_section(text) for text in _further(more, links)]
    if shared_by:
        blocks.append(_context(f"Shared by <@{shared_by}>"))
    if _has_buttons(answer):
        blocks.append(_actions(answer, buttons, shared_by))
    return Message(mrkdwn.escaped(answers.plain(answer.text, _FALLBACK)), _shown(blocks))


def asked_why(answer_id: str) -> Message:
    """Thanks for the feedback, and what was wrong?"""
    text = "Thank you. What is wrong with it?"
    buttons = [_button(reason, f"{REASON}{place}", answer_id) for place, reason in enumerate(answer_view.REASONS)]
    return Message(text, _shown([_section(text), ActionsBlock(elements=buttons)]))


# The answer


def _body(answer: Answer) -> list[str]:
    """Its text with footnotes, as much of it as a message holds."""
    paragraphs = _quoted(answer) if answer.answered else _declined(answer)
    paragraphs += [Paragraph(inline(note)) for note in answer.missing]
    texts = _texts(paragraphs)
    if len(texts) > _BODY_SECTIONS:
        rest = "_The answer is longer than this message may be: its sources have the rest._"
        return [*texts[:_BODY_SECTIONS], rest]
    return texts


def _quoted(answer: Answer) -> list[Paragraph]:
    citations = {citation.n: citation for citation in answer.citations}
    paragraphs: list[Paragraph] = []
    for (kind, marks), run in groupby(answer.segments, key=lambda segment: (segment.kind, segment.marks)):
        shown = _sentences if kind == "sentence" else _quoted_blocks
        paragraphs += shown(list(run), "".join(_footnote(citations[n]) for n in marks))
    return paragraphs


def _sentences(run: Sequence[Segment], footnotes: str) -> list[Paragraph]:
    atoms: list[str] = []
    for segment in run:
        atoms += [*inline(segment.text), " ", footnotes, " "]
    return [Paragraph(tuple(atoms[:-1]))]


def _quoted_blocks(run: Sequence[Segment], footnotes: str) -> list[Paragraph]:
    # Items of one list are quoted one by one: together they are a list again.
    between = "\n" if run[0].kind == "list" else "\n\n"
    blocks = paragraphs_of(between.join(segment.text for segment in run))
    return [*blocks, Paragraph((footnotes,), close=True)]


def _footnote(citation: Citation) -> str:
    return mrkdwn.link(citation.url, f"[{citation.n}]")


def _declined(answer: Answer) -> list[Paragraph]:
    """A refusal with the nearest articles; a greeting; or why nothing could be found."""
    if not answer.related:
        return paragraphs_of(answer.text)
    first = Paragraph(mrkdwn.words(f"{REFUSAL} The nearest articles:"))
    return [first, *(_item(mrkdwn.link(article.url, _shortened(article.title, _PLACE))) for article in answer.related)]


def _sources(answer: Answer, snapshot: Snapshot) -> list[str]:
    paragraphs = [Paragraph(("*Sources*",))]
    for citation in answer.citations[:_SOURCES]:
        article = snapshot.articles.article(citation.article_id)
        updated = f" ({article.updated:%Y-%m-%d})" if article and article.updated else ""
        place = _shortened(" › ".join((citation.title, *citation.heading)), _PLACE)
        paragraphs.append(Paragraph((_footnote(citation), " ", *mrkdwn.words(place + updated)), close=True))
    if left := len(answer.citations) - _SOURCES:
        paragraphs += [Paragraph((f"and {left} more",), close=True)] if left > 0 else []
    return _texts(paragraphs)[:1]


def _further(more: More, links: Links) -> list[str]:
    paragraphs = [Paragraph(("*Further passages*",))] if more.passages else []
    for passage in more.passages:
        article = passage.article
        place = _shortened(" › ".join((article.title, *passage.heading)), _PLACE)
        url = links.passage(article.id, passage.start, passage.end)
        excerpt = answers.plain(passage.text, _EXCERPT)
        paragraphs += [_item(mrkdwn.link(url, place)), Paragraph(("    ", *mrkdwn.words(excerpt)), close=True)]
    if more.related:
        paragraphs.append(Paragraph(("*Related articles*",)))
    for related in more.related:
        reason = f" — {related.reason}" if related.reason else ""
        paragraphs.append(_item(mrkdwn.link(related.url, _shortened(related.title, _PLACE)), *mrkdwn.words(reason)))
    return _texts(paragraphs or [Paragraph(mrkdwn.words("There is nothing more about this."))])[:1]


def _item(*atoms: str) -> Paragraph:
    return Paragraph(("• ", *atoms), close=True)


def _shortened(text: str, most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[:most].rstrip()}…"


# Blocks


def _bold(text: str) -> str:
    return f"*{mrkdwn.escaped(text.replace('*', '∗'))}*"


def _texts(paragraphs: Sequence[Paragraph]) -> list[str]:
    return mrkdwn.fitted(paragraphs, _SECTION)


def _section(text: str) -> SectionBlock:
    return SectionBlock(text=MarkdownTextObject(text=text, verbatim=True), expand=True)


def _context(text: str) -> ContextBlock:
    return ContextBlock(elements=[MarkdownTextObject(text=text, verbatim=True)])


def _has_buttons(answer: Answer) -> bool:
    """A greeting has nothing to judge, and of an answer that is not kept nothing more can be known."""
    return answer.kind is not AnswerKind.COURTESY and UNKEPT not in answer.degraded


def _actions(answer: Answer, names: Sequence[str], shared_by: str) -> ActionsBlock:
    judged = (HELPFUL, NOT_HELPFUL) if answer.answered else (MISSING,)
    shown = [name for name in (*names, *judged) if name != MORE or _goes_on(answer)]
    value = f"{answer.answer_id} {shared_by}".rstrip()
    return ActionsBlock(elements=[_button(_LABELS[name], name, value) for name in shown])


def _goes_on(answer: Answer) -> bool:
    return bool(answer.passages or answer.related or answer.citations)


_LABELS = {
    SHARE: "Share to channel",
    MORE: "Show more",
    HELPFUL: "Helpful",
    NOT_HELPFUL: "Not helpful",
    MISSING: "Report missing topic",
}


def _button(label: str, action: str, answer_id: str) -> ButtonElement:
    return ButtonElement(text=PlainTextObject(text=label), action_id=action, value=answer_id)


def _shown(blocks: Sequence[Block]) -> tuple[Payload, ...]:
    return tuple(block.to_dict() for block in blocks)
