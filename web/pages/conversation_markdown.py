"""Renders a conversation as Markdown, with footnotes as links."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from urllib.parse import urljoin

from qa.excerpts import place_of
from qa.types import CLOSEST, Answer, AnswerKind, Citation, Section

_SPECIAL = re.compile(r"([\\`*_\[\]<>])")  # characters that Markdown would interpret


def markdown(answers: Sequence[Answer], site: str) -> str:
    """Questions as headings, each with its answer and a list of the sources its marks refer to."""
    return "\n\n".join(_answer(answer, site) for answer in answers) + "\n"


def _answer(answer: Answer, site: str) -> str:
    question = _literal(" ".join(answer.question.split()))
    parts = [f"## {question}", *(_closest(answer, site) if answer.kind is AnswerKind.CLOSEST else [answer.text])]
    if answer.citations:
        sources = [f"- \\[{citation.n}\\] {_link(citation, site)}" for citation in answer.citations]
        parts.append("\n".join(["Sources:", "", *sources]))
    if answer.elsewhere:
        others = [f"- {_link(section, site)}" for section in answer.elsewhere]
        parts.append("\n".join(["Other places that may answer:", "", *others]))
    return "\n\n".join(parts)


def _closest(answer: Answer, site: str) -> Iterator[str]:
    """The closest passages as block quotations; their addresses may have changed since the text was written."""
    yield CLOSEST
    for citation in answer.closest:
        yield textwrap.indent(f"{citation.quote}\n\n{_link(citation, site)}", "> ", lambda line: True)


def _link(part: Citation | Section, site: str) -> str:
    return f"[{_literal(place_of(part))}](<{urljoin(site, part.url)}>)"


def _literal(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
