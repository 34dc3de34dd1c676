"""Asking, at once or as a stream, and searching."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterable, Iterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from indexes.types import Filter, TagMode
from qa.answering import Piece, Sources
from qa.conversations import Exchange
from qa.filters import known_filter
from qa.types import Question, Turn
from web.access.principals import Principal
from web.api.schemas import AnswerOut, AskIn, ListPage, PassageOut, QuestionText, TagName
from web.middleware import problems
from web.rendering import answer_view
from web.rendering.element_tree import Tree
from web.routing.facts import PrincipalDep, declare
from web.services import Services, ServicesDep
from web.serving.draining import Draining

log = logging.getLogger(__name__)

router = APIRouter(prefix="/api/v1", tags=["ask"])


# Plain `def`: searching is CPU work, so it belongs on the thread pool and never on the event loop. So does writing the
# JSON; given an `AnswerOut`, FastAPI would change threads once more to look whether it is one.
@router.post("/ask", response_model=AnswerOut, responses=problems.NO_CONVERSATION)
@declare("ask", cost="answers", errors="problem", widgets=True)
def ask(body: AskIn, services: ServicesDep, principal: PrincipalDep) -> Response:
    """Answer a question from the knowledge base, every sentence cited, or say that it has no answer."""
    exchange = services.conversations.ask(_question(body, principal), body.conversation_id, principal.id)
    return Response(AnswerOut.of(exchange, services.links).model_dump_json(), media_type="application/json")


@dataclass(frozen=True, slots=True)
class _AskRequest:
    question: Question
    conversation_id: str | None
    owner: str


def _asked(body: AskIn, services: ServicesDep, principal: PrincipalDep) -> _AskRequest:
    """What can be refused with a status is refused before the stream begins."""
    known_filter(services.store.seen_by(principal.viewer), Filter(tuple(body.tags), body.tag_mode))
    question = services.conversations.prepare(_question(body, principal), body.conversation_id, principal.id)
    return _AskRequest(question, body.conversation_id, principal.id)


@router.post("/ask/stream", response_class=EventSourceResponse, responses=problems.NO_CONVERSATION)
@declare("ask", cost="answers", errors="problem", widgets=True)
async def stream(
    asked: Annotated[_AskRequest, Depends(_asked)],
    services: ServicesDep,
    view: Annotated[bool, Query(description="adds the answer as elements for a page to build: `view`")] = False,
) -> AsyncIterable[ServerSentEvent]:
    """`ask` as server-sent events: `sources`, `token`… (their `text` joined is the answer's), `answer`.

    Instead of the rest there may come `error` (a problem), or `interrupted` when the server is shutting down.
    """
    try:
        async for event in services.drain.each(lambda: _events(services, asked, view)):
            yield event
    except Draining:
        yield ServerSentEvent(event="interrupted", data={"detail": "The server is restarting: please ask again."})
    except Exception as error:
        yield ServerSentEvent(event="error", data=problems.of(error))


def _events(services: Services, asked: _AskRequest, view: bool) -> Iterator[ServerSentEvent]:
    """The events of an answer while it is being written."""
    for progress in services.conversations.stream(asked.question, asked.conversation_id, asked.owner):
        match progress:
            case Sources(passages):
                articles = len({passage.article.id for passage in passages})
                shown = [PassageOut.of(passage, services.links) for passage in passages]
                yield ServerSentEvent(event="sources", data={"articles": articles, "passages": shown})
            case Piece(text):
                yield ServerSentEvent(event="token", data={"text": text})
            case Exchange():
                whole = AnswerOut.of(progress, services.links).model_dump(mode="json")
                elements = {"view": _view(services, asked, progress)} if view else {}
                yield ServerSentEvent(event="answer", data={**whole, **elements})


def _view(services: Services, asked: _AskRequest, exchange: Exchange) -> list[Tree]:
    number = 1 + len(asked.question.history) // 2
    corpus = services.store.seen_by(asked.question.viewer)
    view = answer_view.new_view(exchange, asked.question.filter, number, corpus, services.links)
    return answer_view.answer_tree(view)


def _question(body: AskIn, principal: Principal) -> Question:
    history = tuple(Turn(turn.role, turn.text) for turn in body.history)
    return Question(body.question, Filter(tuple(body.tags), body.tag_mode), history, body.limit, principal.viewer)


@router.get("/search")
@declare("read", cost="answers", errors="problem")
def search(
    services: ServicesDep,
    principal: PrincipalDep,
    q: Annotated[
        QuestionText, Query(description="what to search for: at most 4,000 characters, not counting blanks around them")
    ],
    tag: Annotated[list[TagName], Query(max_length=50)] = [],
    tag_mode: TagMode = "any",
    limit: Annotated[int, Query(ge=1, le=50)] = 8,
) -> ListPage[PassageOut]:
    """Passages, best first, without an answer."""
    passages = services.answerer.search(q, Filter(tuple(tag), tag_mode), limit, principal.viewer).passages
    items = [PassageOut.of(passage, services.links) for passage in passages]
    return ListPage(items=items, total=len(items))
