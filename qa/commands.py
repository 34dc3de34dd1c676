"""The commands `ask` and `search`."""

from __future__ import annotations

import argparse
import sys
import textwrap
from dataclasses import asdict
from typing import Any

from indexes.console import OK, USAGE, Commands, add_index_option, command, index_of, show
from indexes.settings import IndexSettings
from indexes.types import KEEPER, Filter, Viewer
from qa.answering import Answerer
from qa.composition import build_answering
from qa.excerpts import excerpts, place_of
from qa.types import CLOSEST, LONGEST_QUESTION, Answer, AnswerKind, Citation, Passage, Question


def add_commands(commands: Commands) -> None:
    for name, run, summary in (
        ("ask", _ask, "answer a question, every sentence footnoted"),
        ("search", _search, "show passages, best first, without an answer"),
    ):
        parser = command(commands, name, run, summary)
        parser.add_argument("question")
        parser.add_argument("--tag", action="append", default=[], help="only articles with this tag; repeatable")
        parser.add_argument(
            "--tag-mode", choices=("any", "all"), default="any", help="with several tags (default: any)"
        )
        parser.add_argument(
            "--group",
            action="append",
            help="answer as for a member of this group, '' for none; repeatable. Left out, "
            "every article may be read: you hold the files",
        )
        parser.add_argument("--limit", type=_passages, default=8, metavar="N", help="passages, 1 to 50 (8)")
        add_index_option(parser)


def _passages(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 50:
        raise argparse.ArgumentTypeError("must be from 1 to 50")
    return number


def _answerer(args: argparse.Namespace, settings: IndexSettings) -> Answerer:
    return build_answering(settings.at(index_of(args, settings))).answerer


def _ask(args: argparse.Namespace, settings: IndexSettings) -> int:
    text = args.question.strip()
    if not 0 < len(text) <= LONGEST_QUESTION:
        return _refuse_length()
    answer = _answerer(args, settings).ask(
        Question(text, Filter(tuple(args.tag), args.tag_mode), limit=args.limit, viewer=_viewer(args))
    )
    show(args, _document(answer), in_words(answer))
    return OK


def _search(args: argparse.Namespace, settings: IndexSettings) -> int:
    text = args.question.strip()
    if not 0 < len(text) <= LONGEST_QUESTION:
        return _refuse_length()
    filter = Filter(tuple(args.tag), args.tag_mode)
    passages = _answerer(args, settings).search(text, filter, args.limit, _viewer(args)).passages
    lines = [f"{n}. {_place(p.article.title, p.heading)}\n   {_line(p.text)}" for n, p in enumerate(passages, start=1)]
    show(args, {"items": [_passage(p) for p in passages]}, "\n".join(lines) or "No passage matches.")
    return OK


def _viewer(args: argparse.Namespace) -> Viewer:
    return KEEPER if args.group is None else Viewer(frozenset(args.group))


def _refuse_length() -> int:
    print(f"footnote: a question has 1 to {LONGEST_QUESTION} characters.", file=sys.stderr)
    return USAGE


def in_words(answer: Answer) -> str:
    """An answer for a terminal: its text, then its footnotes; or the closest passages; then where else to look."""
    notes = [f"[{c.n}] {place_of(c)} ({c.url})" for c in answer.citations]
    others = [f"- {place_of(section)} ({section.url})" for section in answer.elsewhere]
    parts = [_closest(answer) if answer.kind is AnswerKind.CLOSEST else _text_under_places(answer), "\n".join(notes)]
    if others:
        parts.append("\n".join(["Other places that may answer:", *others]))
    return "\n\n".join(part for part in parts if part)


def _text_under_places(answer: Answer) -> str:
    """The text of an answer, with the place of each excerpt in a line above it."""
    text, read = "", 0
    for excerpt in excerpts(answer):
        start = answer.text.find(excerpt.segments[0].text, read)
        if excerpt.place and start >= 0:
            text += f"{answer.text[read:start]}{excerpt.place}:\n"
            read = start
    return text + answer.text[read:]


def _closest(answer: Answer) -> str:
    """The closest passages, set off from the word that none of them may answer."""
    return "\n\n".join([CLOSEST, *(_quoted(citation) for citation in answer.closest)])


def _quoted(citation: Citation) -> str:
    return "\n".join(
        [f"{citation.n}. {place_of(citation)} ({citation.url})", textwrap.indent(citation.quote, "   | ", bool)]
    )


def _place(title: str, heading: tuple[str, ...]) -> str:
    return " › ".join([title, *heading])


def _line(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= 160 else f"{words[:159]}…"


def _document(answer: Answer) -> dict[str, Any]:
    return {**asdict(answer), "passages": [_passage(p) for p in answer.passages]}


def _passage(passage: Passage) -> dict[str, Any]:
    return {
        "article_id": passage.article.id,
        "title": passage.article.title,
        "heading": list(passage.heading),
        "text": passage.text,
        "start": passage.start,
        "end": passage.end,
        "score": passage.score,
    }
