"""The tools that agents use: search, fetch and ask. Independent of the protocol."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Protocol
from urllib.parse import urljoin

from pydantic import BaseModel

from indexes.types import Article, Filter, Viewer
from qa.answering import Answerer
from qa.conversations import Exchange
from qa.corpus import CorpusStore
from qa.errors import UnknownConversation, UnknownTag
from qa.links import Links
from qa.types import Passage, Question
from web.access.keys import Scope
from web.agents.schemas import (
    AskOut,
    AskToolIn,
    FetchIn,
    FetchOut,
    MetadataOut,
    NearOut,
    ResultOut,
    SearchIn,
    SearchOut,
)
from web.api.schemas import CitationOut, SectionOut
from web.rendering.marks import cited_at, linked, section_at

_PASSAGES = 50  # considered by a search, which returns at most 20 articles
_MOST_TEXT = 100_000  # characters of an article in one result


class ToolFailure(Exception):
    """Tells an agent what went wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose behalf an agent calls. `id`: owner of the conversations; `site`: address of the pages."""

    viewer: Viewer
    scopes: frozenset[Scope]
    id: str
    site: str


class Asker(Protocol):
    def ask(self, question: Question, conversation_id: str | None = None, owner: str = "") -> Exchange: ...


class Tools:
    """The tools over one store. Safe to call from many threads."""

    def __init__(self, store: CorpusStore, answerer: Answerer, links: Links, asker: Asker) -> None:
        self._store = store
        self._answerer = answerer
        self._links = links
        self._asker = asker

    def search(self, arguments: SearchIn, caller: Caller) -> SearchOut:
        filter = Filter(tuple(arguments.tags), arguments.tag_mode)
        passages = self._answerer.search(arguments.query, filter, _PASSAGES, caller.viewer).passages
        best = _best_of_each_article(passages)[: arguments.limit]
        return SearchOut(results=[self._result(passage, caller.site) for passage in best])

    def fetch(self, arguments: FetchIn, caller: Caller) -> FetchOut:
        corpus = self._store.seen_by(caller.viewer)
        article = corpus.articles.article(arguments.id)
        if article is None:
            raise ToolFailure(
                _no_article(get_close_matches(arguments.id[:200], corpus.articles.ids(), n=3, cutoff=0.5))
            )
        end = arguments.start + _MOST_TEXT
        return FetchOut(
            id=article.id,
            title=article.title,
            text=article.markdown[arguments.start : end],
            url=urljoin(caller.site, self._links.article(article.id)),
            metadata=_metadata(article, end),
        )

    def ask(self, arguments: AskToolIn, caller: Caller) -> AskOut:
        question = Question(arguments.question, Filter(tuple(arguments.tags), arguments.tag_mode), viewer=caller.viewer)
        exchange = self._asker.ask(question, arguments.conversation, caller.id)
        answer, site = exchange.answer, caller.site
        return AskOut(
            answered=answer.answered,
            kind=answer.kind,
            text=linked(answer, site),
            confidence=answer.confidence,
            citations=[CitationOut.of(cited_at(citation, site)) for citation in answer.citations],
            closest=[CitationOut.of(cited_at(citation, site)) for citation in answer.closest],
            elsewhere=[SectionOut.of(section_at(section, site)) for section in answer.elsewhere],
            missing=list(answer.missing),
            related=[NearOut(id=r.article_id, title=r.title, url=urljoin(site, r.url)) for r in answer.related],
            conversation=exchange.conversation_id,
        )

    def _result(self, passage: Passage, site: str) -> ResultOut:
        url = self._links.passage(passage.article.id, passage.start, passage.end)
        return ResultOut(
            id=passage.article.id,
            title=passage.article.title,
            url=urljoin(site, url),
            text=passage.text,
            heading=list(passage.heading),
        )


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool, described for agents, and the scope it requires."""

    name: str
    title: str
    about: str
    scope: Scope
    takes: type[BaseModel]
    gives: type[BaseModel]
    work: Callable[[Any, Caller], BaseModel]

    def __call__(self, arguments: object, caller: Caller) -> BaseModel:
        """Raises ToolFailure, and ValidationError for invalid arguments."""
        if self.scope not in caller.scopes:
            raise ToolFailure(f"You may not use `{self.name}` here: it takes a key with the scope `{self.scope}`.")
        try:
            return self.work(self.takes.model_validate(arguments), caller)
        except UnknownTag as error:
            raise ToolFailure(_no_tag(error)) from error
        except UnknownConversation as error:
            raise ToolFailure(
                "There is no such conversation, or it has been deleted: leave `conversation` out to begin another."
            ) from error


def agent_tools(tools: Tools) -> tuple[Tool, ...]:
    """The tools as they are described to agents."""
    return (
        Tool(
            "search",
            "Search the knowledge base",
            "Find articles of the knowledge base, best first, each with its best passage. Use it to look around or to "
            "gather several sources; to get one question answered, use `ask`. `fetch` reads an article in full.",
            "read",
            SearchIn,
            SearchOut,
            tools.search,
        ),
        Tool(
            "fetch",
            "Read an article",
            "Read one article of the knowledge base in full, as Markdown, by an id from `search` or `ask`.",
            "read",
            FetchIn,
            FetchOut,
            tools.fetch,
        ),
        Tool(
            "ask",
            "Ask the knowledge base",
            "Get one question answered from the knowledge base. Every sentence of the answer is quoted from an article "
            "and has a footnote with a link to the exact passage: pass the links on to the user. Where `answered` is "
            "false the knowledge base does not say; say so instead of guessing. Where `kind` is `closest`, it may not "
            "answer: never assert what the passages of `closest` say as the answer, only name them as places to look. "
            "Ask one thing at a time; for a follow-up, send the `conversation` of the answer before.",
            "ask",
            AskToolIn,
            AskOut,
            tools.ask,
        ),
    )


def _best_of_each_article(passages: Sequence[Passage]) -> list[Passage]:
    best: dict[str, Passage] = {}
    for passage in passages:
        best.setdefault(passage.article.id, passage)
    return list(best.values())


def _metadata(article: Article, end: int) -> MetadataOut:
    return MetadataOut(
        summary=article.summary,
        tags=list(article.tags),
        category=article.category,
        type=article.type,
        updated=article.updated.isoformat() if article.updated else None,
        source=article.source_url,
        characters=len(article.markdown),
        next_start=end if end < len(article.markdown) else None,
    )


def _no_article(near: Sequence[str]) -> str:
    hint = f" Did you mean {' or '.join(repr(id) for id in near)}?" if near else ""
    return f"There is no article with this id.{hint} `search` finds articles and their ids."


def _no_tag(error: UnknownTag) -> str:
    hint = f" Did you mean {' or '.join(repr(tag) for tag in error.near)}?" if error.near else ""
    return f"No article carries the tag {error.tag!r}.{hint} Leave `tags` out to use all articles."
