"""Renders a conversation as Markdown, with footnotes as links."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urljoin

from qa.types import Answer, Citation

_SPECIAL = re.compile(r"([\\`*_\[\]<>])")  # characters that Markdown would interpret


def markdown(answers: Sequence[Answer], site: str) -> str:
    """Questions as headings, each with its answer and a list of the sources its marks refer to."""
    return "\n\n".join(_answer(answer, site) for answer in answers) + "\n"


def _answer(answer: Answer, site: str) -> str:
    question = _SPECIAL.sub(r"\\\1", " ".join(answer.question.split()))
    parts = [f"## {question}", answer.text]
    if answer.citations:
        parts.append("\n".join(["Sources:", "", *(_source(citation, site) for citation in answer.citations)]))
    return "\n\n".join(parts)


def _source(citation: Citation, site: str) -> str:
    path = _SPECIAL.sub(r"\\\1", " › ".join((citation.title, *citation.heading)))
    return f"- \\[{citation.n}\\] [{path}](<{urljoin(site, citation.url)}>)"
