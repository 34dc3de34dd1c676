"""Answers as Slack messages: the text with footnotes, the sources, and buttons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement
from slack_sdk.models.blocks.basic_components import PlainTextObject

from qa.conversations import UNKEPT
from qa.corpus import Corpus
from qa.excerpts import excerpts, place_of
from qa.links import Links
from qa.types import CLOSEST, REFUSAL, Answer, AnswerKind, Citation, Passage, Related, Section, Segment
from web.rendering import answer_view, answers
from web.slack import mrkdwn
from web.slack.inline import inline
from web.slack.messages import Message, context, payloads, section, texts_of
from web.slack.mrkdwn import Paragraph
from web.slack.paragraphs import paragraphs as paragraphs_of

# Slack answers `msg_blocks_too_long` beyond 13,000 characters in all blocks of a message, an undocumented limit. Two
# sections of 2,900 for the answer, one for its sources and one for what is beside it or "Show more" adds make 11,600.
_BODY_SECTIONS = 2
_FALLBACK = 300  # characters of the text for notifications
_QUESTION = 250  # characters of a question that is shown above its answer
_PATH = 160  # characters of an article's title and headings
_EXCERPT = 240  # characters of a further passage
_QUOTATION = 1_500  # characters of each of the closest passages, of which there are at most three
_SOURCES = 10  # footnotes listed below an answer

SHARE, MORE, HELPFUL, NOT_HELPFUL, MISSING, REASON = "share", "more", "helpful", "not_helpful", "missing", "reason_"
_LABELS = {
    SHARE: "Share to channel",
    MORE: "Show more",
    HELPFUL: "Helpful",
    NOT_HELPFUL: "Not helpful",
    MISSING: "Report missing topic",
}
_FEEDBACK = {AnswerKind.ANSWERED: (HELPFUL, NOT_HELPFUL), AnswerKind.CLOSEST: (HELPFUL, MISSING)}


@dataclass(frozen=True, slots=True)
class More:
    """What "Show more" adds to an answer."""

    elsewhere: tuple[Section, ...]
    passages: tuple[Passage, ...]
    related: tuple[Related, ...]


def answer_message(
    answer: Answer,
    corpus: Corpus,
    links: Links,
    *,
    question: str = "",
    shared_by: str = "",
    more: More | None = None,
    buttons: Sequence[str] = (),
) -> Message:
    """An answer with its sources and buttons.

    `question` is shown above it; `shared_by` is the id of a Slack user; `buttons` precede those for feedback.
    """
    blocks: list[Block] = []
    if question:
        blocks.append(section(_bold(_shorten(question, _QUESTION))))
    blocks += [section(text) for text in _body(answer)]
    if answer.answered:
        blocks.append(
            context(" · ".join([answer_view.confidence_in_words(answer.confidence), *answer_view.warnings(answer)]))
        )
        blocks += [section(text) for text in _sources(answer, corpus)]
    beside = _more(more, links) if more else _elsewhere(answer.elsewhere)
    blocks += [section(text) for text in texts_of(beside)[:1]]
    if shared_by:
        blocks.append(context(f"Shared by <@{shared_by}>"))
    if _has_buttons(answer):
        blocks.append(_actions(answer, buttons, shared_by))
    return Message(mrkdwn.escaped(answers.plain_text(answer.text, _FALLBACK)), payloads(blocks))


def reasons_message(answer_id: str) -> Message:
    """Thanks for the feedback, with buttons for the reason."""
    text = "Thank you. What is wrong with it?"
    buttons = [_button(reason, f"{REASON}{number}", answer_id) for number, reason in enumerate(answer_view.REASONS)]
    return Message(text, payloads([section(text), ActionsBlock(elements=buttons)]))


# The answer


def _body(answer: Answer) -> list[str]:
    """The text with footnotes, or what stands in for it, cut to what a message holds."""
    texts = texts_of([*_paragraphs(answer), *(Paragraph(inline(note)) for note in answer.missing)])
    if len(texts) > _BODY_SECTIONS:
        rest = "_The answer is longer than this message may be: its sources have the rest._"
        return [*texts[:_BODY_SECTIONS], rest]
    return texts


def _paragraphs(answer: Answer) -> list[Paragraph]:
    match answer.kind:
        case AnswerKind.ANSWERED:
            return _answer_paragraphs(answer)
        case AnswerKind.CLOSEST:
            return _closest_paragraphs(answer)
    return _refusal_paragraphs(answer)


def _answer_paragraphs(answer: Answer) -> list[Paragraph]:
    paragraphs: list[Paragraph] = []
    for excerpt in excerpts(answer):
        if excerpt.place:
            paragraphs.append(_place(excerpt.citations[0]))
        footnotes = "".join(_footnote(citation) for citation in excerpt.citations)
        for kind, run in groupby(excerpt.segments, key=lambda segment: segment.kind):
            paragraphs_for = _sentence_paragraphs if kind == "sentence" else _block_paragraphs
            paragraphs += paragraphs_for(list(run), footnotes)
    return paragraphs


def _place(part: Citation | Section) -> Paragraph:
    """Where the words below it stand, as a link."""
    return Paragraph(("↳ ", mrkdwn.link(part.url, _shorten(place_of(part), _PATH))))


def _closest_paragraphs(answer: Answer) -> list[Paragraph]:
    """The passages that may help, each under its place, after the word that nothing is asserted."""
    paragraphs = [Paragraph((f"*{CLOSEST}*",))]
    for citation in answer.closest:
        quoted = answers.plain_text(citation.quote, _QUOTATION)
        paragraphs += [_place(citation), Paragraph(("> ", *mrkdwn.words(quoted)), close=True)]
    return paragraphs


def _sentence_paragraphs(run: Sequence[Segment], footnotes: str) -> list[Paragraph]:
    atoms: list[str] = []
    for segment in run:
        atoms += [*inline(segment.text), " ", footnotes, " "]
    return [Paragraph(tuple(atoms[:-1]))]


def _block_paragraphs(run: Sequence[Segment], footnotes: str) -> list[Paragraph]:
    # The items of a list are cited one by one; joined they read as one list again.
    between = "\n" if run[0].kind == "list" else "\n\n"
    blocks = paragraphs_of(between.join(segment.text for segment in run))
    return [*blocks, Paragraph((footnotes,), close=True)]


def _footnote(citation: Citation) -> str:
    return mrkdwn.link(citation.url, f"[{citation.n}]")


def _refusal_paragraphs(answer: Answer) -> list[Paragraph]:
    """A refusal with the nearest articles, a greeting, or the reason why nothing could be searched."""
    if not answer.related:
        return paragraphs_of(answer.text)
    first = Paragraph(mrkdwn.words(f"{REFUSAL} The nearest articles:"))
    return [first, *(_item(mrkdwn.link(article.url, _shorten(article.title, _PATH))) for article in answer.related)]


def _sources(answer: Answer, corpus: Corpus) -> list[str]:
    paragraphs = [Paragraph(("*Sources*",))]
    for citation in answer.citations[:_SOURCES]:
        article = corpus.articles.article(citation.article_id)
        updated = f" ({article.updated:%Y-%m-%d})" if article and article.updated else ""
        path = _shorten(place_of(citation), _PATH)
        paragraphs.append(Paragraph((_footnote(citation), " ", *mrkdwn.words(path + updated)), close=True))
    if left := len(answer.citations) - _SOURCES:
        paragraphs += [Paragraph((f"and {left} more",), close=True)] if left > 0 else []
    return texts_of(paragraphs)[:1]


def _elsewhere(sections: Sequence[Section]) -> list[Paragraph]:
    """Other sections that may answer, as a list."""
    if not sections:
        return []
    items = [_item(mrkdwn.link(one.url, _shorten(place_of(one), _PATH))) for one in sections]
    return [Paragraph(("*Other places that may answer*",)), *items]


def _more(more: More, links: Links) -> list[Paragraph]:
    paragraphs = _elsewhere(more.elsewhere)
    if more.passages:
        paragraphs.append(Paragraph(("*Further passages*",)))
    for passage in more.passages:
        article = passage.article
        path = _shorten(" › ".join((article.title, *passage.heading)), _PATH)
        url = links.passage(article.id, passage.start, passage.end)
        excerpt = answers.plain_text(passage.text, _EXCERPT)
        paragraphs += [_item(mrkdwn.link(url, path)), Paragraph(("    ", *mrkdwn.words(excerpt)), close=True)]
    if more.related:
        paragraphs.append(Paragraph(("*Related articles*",)))
    for related in more.related:
        reason = f" — {related.reason}" if related.reason else ""
        paragraphs.append(_item(mrkdwn.link(related.url, _shorten(related.title, _PATH)), *mrkdwn.words(reason)))
    return paragraphs or [Paragraph(mrkdwn.words("There is nothing more about this."))]


def _item(*atoms: str) -> Paragraph:
    return Paragraph(("• ", *atoms), close=True)


def _shorten(text: str, most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[:most].rstrip()}…"


def _bold(text: str) -> str:
    return f"*{mrkdwn.escaped(text.replace('*', '∗'))}*"


# Buttons


def _has_buttons(answer: Answer) -> bool:
    """Not for a greeting, which needs no feedback, nor for an unrecorded answer, which no button could refer to."""
    return answer.kind is not AnswerKind.COURTESY and UNKEPT not in answer.degraded


def _actions(answer: Answer, names: Sequence[str], shared_by: str) -> ActionsBlock:
    feedback = _FEEDBACK.get(answer.kind, (MISSING,))
    offered = [name for name in (*names, *feedback) if name != MORE or _has_more(answer)]
    value = f"{answer.answer_id} {shared_by}".rstrip()
    return ActionsBlock(elements=[_button(_LABELS[name], name, value) for name in offered])


def _has_more(answer: Answer) -> bool:
    return bool(answer.passages or answer.related or answer.citations or answer.closest)


def _button(label: str, action: str, answer_id: str) -> ButtonElement:
    return ButtonElement(text=PlainTextObject(text=label), action_id=action, value=answer_id)
