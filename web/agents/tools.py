"""What agents can do here: search, read an article, ask. Nothing in here knows of the protocol."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Annotated, Any, Protocol, TypeAlias
from urllib.parse import urljoin

from pydantic import BaseModel, ConfigDict, Field

from indexes.snapshots.store import SnapshotStore
from indexes.types import Article, Filter, TagMode, Viewer
from qa.answering import Answerer
from qa.conversations import Exchange
from qa.errors import UnknownConversation, UnknownTag
from qa.links import Links
from qa.types import Passage, Question
from web.access.keys import Scope
from web.api.schemas import CitationOut, QuestionText, TagName, Text
from web.rendering.marks import full_addresses, linked

_PASSAGES = 50  # looked at by a search
_MOST_TEXT = 100_000  # characters of an article at once


class ToolFailure(Exception):
    """What went wrong, and what to do, for an agent to read."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose agent calls. `site`: address of the pages; `id`: owner of the conversations."""

    viewer: Viewer
    scopes: frozenset[Scope]
    id: str
    site: str


class Asker(Protocol):
    def ask(self, question: Question, conversation_id: str | None = None, owner: str = "") -> Exchange: ...


# What tools take and give

Tags: TypeAlias = Annotated[
    list[TagName], Field(max_length=50, description="Only articles with these tags. Leave it out to use all articles.")
]
Mode: TypeAlias = Annotated[TagMode, Field(description="With several tags: articles with any or with all of them.")]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SearchIn(_In):
    query: Annotated[QuestionText, Field(description="What to look for: a question or a few words.")]
    tags: Tags = []
    tag_mode: Mode = "any"
    limit: Annotated[int, Field(ge=1, le=20, description="The most articles to return.")] = 8


class ResultOut(BaseModel):
    id: Annotated[str, Field(description="Id of the article, for `fetch`.")]
    title: str
    url: Annotated[str, Field(description="Address of the article's page at the passage, to cite.")]
    text: Annotated[str, Field(description="The article's best passage, as Markdown.")]
    heading: Annotated[list[str], Field(description="The headings above the passage.")]


class SearchOut(BaseModel):
    results: Annotated[list[ResultOut], Field(description="Articles, best first; empty where nothing matches.")]


class FetchIn(_In):
    id: Annotated[Text, Field(min_length=1, max_length=1_000, description="Id of an article, from `search` or `ask`.")]
    start: Annotated[
        int, Field(ge=0, description="Character to read from: `metadata.next_start` of the part before.")
    ] = 0


class MetadataOut(BaseModel):
    summary: str
    tags: list[str]
    category: str
    type: str
    updated: Annotated[str | None, Field(description="Day of the last change, ISO 8601.")]
    source: Annotated[str | None, Field(description="Where the article was taken from.")]
    characters: Annotated[int, Field(description="Length of the whole article.")]
    next_start: Annotated[int | None, Field(description="Where the rest begins, if this is not all: `start` of it.")]


class FetchOut(BaseModel):
    id: str
    title: str
    text: Annotated[str, Field(description="The article, as Markdown.")]
    url: Annotated[str, Field(description="Address of the article's page, to cite.")]
    metadata: MetadataOut


class AskToolIn(_In):
    question: Annotated[QuestionText, Field(description="One question, in plain words.")]
    tags: Tags = []
    tag_mode: Mode = "any"
    conversation: Annotated[
        Annotated[Text, Field(max_length=100)] | None,
        Field(description="For a follow-up: `conversation` of the answer before."),
    ] = None


class NearOut(BaseModel):
    id: str
    title: str
    url: str


class AskOut(BaseModel):
    answered: Annotated[bool, Field(description="false: the knowledge base does not say. Do not guess then.")]
    text: Annotated[str, Field(description="The answer as Markdown; each footnote is a link to the passage.")]
    confidence: Annotated[float, Field(description="Of answers given at 0.8, about 80 % are right.")]
    citations: Annotated[list[CitationOut], Field(description="The footnotes: each quotes an article word for word.")]
    missing: Annotated[list[str], Field(description="What the answer leaves open.")]
    related: Annotated[list[NearOut], Field(description="Articles to read on; without an answer, the nearest ones.")]
    conversation: Annotated[str, Field(description="Send it with a follow-up question.")]


# What they do


class Tools:
    """The tools over one store. Safe to call from many threads."""

    def __init__(self, store: SnapshotStore, answerer: Answerer, links: Links, asker: Asker) -> None:
        self._store = store
        self._answerer = answerer
        self._links = links
        self._asker = asker

    def search(self, asked: SearchIn, caller: Caller) -> SearchOut:
        filter = Filter(tuple(asked.tags), asked.tag_mode)
        passages = self._answerer.search(asked.query, filter, _PASSAGES, caller.viewer).passages
        best = _best_of_each_article(passages)[: asked.limit]
        return SearchOut(results=[self._result(passage, caller.site) for passage in best])

    def fetch(self, asked: FetchIn, caller: Caller) -> FetchOut:
        snapshot = self._store.seen_by(caller.viewer)
        article = snapshot.articles.article(asked.id)
        if article is None:
            raise ToolFailure(_no_article(get_close_matches(asked.id[:200], snapshot.articles.ids(), n=3, cutoff=0.5)))
        end = asked.start + _MOST_TEXT
        return FetchOut(
            id=article.id,
            title=article.title,
            text=article.markdown[asked.start : end],
            url=urljoin(caller.site, self._links.article(article.id)),
            metadata=_metadata(article, end),
        )

    def ask(self, asked: AskToolIn, caller: Caller) -> AskOut:
        question = Question(asked.question, Filter(tuple(asked.tags), asked.tag_mode), viewer=caller.viewer)
        exchange = self._asker.ask(question, asked.conversation, caller.id)
        answer, urls = exchange.answer, full_addresses(exchange.answer.citations, caller.site)
        return AskOut(
            answered=answer.answered,
            text=linked(answer, caller.site),
            confidence=answer.confidence,
            citations=[CitationOut.of(replace(citation, url=urls[citation.n])) for citation in answer.citations],
            missing=list(answer.missing),
            related=[NearOut(id=r.article_id, title=r.title, url=urljoin(caller.site, r.url)) for r in answer.related],
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
    """One thing that agents can do, in words for them, and the scope that it takes."""

    name: str
    title: str
    about: str
    scope: Scope
    takes: type[BaseModel]
    gives: type[BaseModel]
    work: Callable[[Any, Caller], BaseModel]

    def __call__(self, arguments: object, caller: Caller) -> BaseModel:
        """Raises ToolFailure; ValidationError for arguments that are not valid."""
        if self.scope not in caller.scopes:
            raise ToolFailure(f"You may not use `{self.name}` here: it takes a key with the scope `{self.scope}`.")
        asked = self.takes.model_validate(arguments)
        try:
            return self.work(asked, caller)
        except UnknownTag as error:
            raise ToolFailure(_no_tag(error)) from error
        except UnknownConversation as error:
            raise ToolFailure(
                "There is no such conversation, or it has been deleted: leave `conversation` out to begin another."
            ) from error


def offered(tools: Tools) -> tuple[Tool, ...]:
    """The tools with what agents are told of them."""
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
            "false the knowledge base does not say; say so instead of guessing. Ask one thing at a time; for a "
            "follow-up, send the `conversation` of the answer before.",
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
