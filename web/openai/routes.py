"""The knowledge base as a model that any client of OpenAI's chat completions can ask."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse, format_sse_event

from indexes.types import Filter
from qa.corpus import Corpus
from qa.types import Answer, Question
from web.api.articles import MOST_TAGS
from web.api.schemas import CitationOut
from web.middleware import openai_errors as openai_errors
from web.middleware.openai_errors import ErrorsOut
from web.openai.completions import (
    ChoiceOut,
    CompletionIn,
    CompletionOut,
    FinishReason,
    MessageOut,
    ModelOut,
    ModelsOut,
    UsageOut,
)
from web.openai.dialogue import filter_of, model_of, question_and_history, tags_of_model
from web.openai.tokens import count_tokens
from web.rendering.marks import cited_at, full_addresses, linked, pieces
from web.routing.facts import PrincipalDep, declare
from web.services import Services, ServicesDep
from web.serving.draining import Draining

log = logging.getLogger(__name__)

_ERRORS: dict[int | str, dict[str, Any]] = {"4XX": {"model": ErrorsOut}, "5XX": {"model": ErrorsOut}}
_STREAM = "text/event-stream"
_CHUNK = {"type": "string", "description": 'a `chat.completion.chunk` as JSON, or `{"error": …}`; the last is `[DONE]`'}
_EVENT = {"type": "object", "properties": {"data": _CHUNK}, "required": ["data"]}

router = APIRouter(prefix="/v1", tags=["chat clients"], responses=_ERRORS)


@router.get("/models")
@declare("ask", "read", errors="openai")
def models(services: ServicesDep, principal: PrincipalDep) -> ModelsOut:
    """The models: `footnote`, which answers from all articles, and one for each of the most frequent tags."""
    corpus = services.store.seen_by(principal.viewer)
    tags = [name for name, _ in corpus.articles.tag_counts()[:MOST_TAGS]]
    return ModelsOut(data=[_model(corpus, Filter()), *(_model(corpus, Filter((tag,))) for tag in tags)])


@router.get("/models/{model:path}")
@declare("ask", "read", errors="openai")
def model(services: ServicesDep, principal: PrincipalDep, model: Annotated[str, Path(max_length=2_000)]) -> ModelOut:
    """One model; every tag has one: `footnote:TAG`."""
    corpus = services.store.seen_by(principal.viewer)
    return _model(corpus, Filter(tags_of_model(corpus, model)))


def _model(corpus: Corpus, filter: Filter) -> ModelOut:
    return ModelOut(id=model_of(filter), created=int(datetime.fromisoformat(corpus.created).timestamp()))


@dataclass(frozen=True, slots=True)
class _CompletionRequest:
    """What a request asks. `site`: where footnotes lead; `owner`: who asks."""

    body: CompletionIn
    question: Question
    site: str
    owner: str


def _asked(body: CompletionIn, services: ServicesDep, principal: PrincipalDep, request: Request) -> _CompletionRequest:
    """What can be refused with a status is refused before a stream begins."""
    text, history = question_and_history(body.messages)
    filter = filter_of(services.store.seen_by(principal.viewer), body)
    question = Question(text, filter, history, viewer=principal.viewer)
    return _CompletionRequest(body, question, str(request.base_url), principal.id)


@router.post(
    "/chat/completions",
    response_model=CompletionOut,
    responses={200: {"content": {_STREAM: {"itemSchema": _EVENT}}}},
)
@declare("ask", cost="answers", errors="openai")
async def complete(asked: Annotated[_CompletionRequest, Depends(_asked)], services: ServicesDep) -> Response:
    """Answer the last user message of a conversation, as OpenAI's chat completions do; with `stream`, in chunks.

    The footnotes of the answer are links, and also listed in `citations`. An answer is quoted from
    articles: what tunes sampling changes nothing, and what cannot be had (tools, JSON, several answers) is refused.
    """
    if asked.body.stream:  # FastAPI itself streams only where every answer of a route is a stream
        headers = {"cache-control": "no-cache", "x-accel-buffering": "no"}
        return EventSourceResponse(_stream(asked, services), headers=headers)
    completion = await run_in_threadpool(_complete, asked, services)
    return Response(completion.model_dump_json(), media_type="application/json")


def _complete(asked: _CompletionRequest, services: Services) -> CompletionOut:
    answer = services.conversations.ask(asked.question, owner=asked.owner).answer
    text, reason = _within(asked.body.most_tokens, linked(answer, asked.site))
    citations = _cited(answer, text, asked.site)
    closest = [CitationOut.of(cited_at(citation, asked.site)) for citation in answer.closest]
    return CompletionOut(
        id=f"chatcmpl-{answer.answer_id}",
        created=int(time.time()),
        model=model_of(asked.question.filter),
        choices=[
            ChoiceOut(message=MessageOut(content=text, citations=citations, closest=closest), finish_reason=reason)
        ],
        usage=UsageOut.of(count_tokens, asked.body.messages, text),
        citations=citations,
        closest=closest,
        answer_id=answer.answer_id,
        answered=answer.answered,
        kind=answer.kind,
        confidence=answer.confidence,
    )


def _within(most: int | None, text: str) -> tuple[str, FinishReason]:
    """As many whole pieces of a text as have `most` tokens, and why it ends where it ends."""
    if most is None or count_tokens(text) <= most:
        return text, "stop"
    whole = ""
    for piece in pieces(text):
        if count_tokens(whole + piece) > most:
            break
        whole += piece
    return whole.rstrip(), "length"


def _cited(answer: Answer, text: str, site: str) -> list[CitationOut]:
    urls = full_addresses(answer.citations, site)
    return [
        CitationOut.of(cited_at(citation, site))
        for citation in answer.citations
        if f"[{citation.n}]({urls[citation.n]})" in text
    ]


async def _stream(asked: _CompletionRequest, services: Services) -> AsyncIterator[bytes]:
    try:
        completion = await services.drain.or_result(lambda: _complete(asked, services))
    except Draining:
        yield _event(openai_errors.document(503, "The server is restarting: please ask again.", code="interrupted"))
    except Exception as error:
        log.error("unexpected error", exc_info=error)
        yield _event(openai_errors.document(500, "Something went wrong on our side; it has been logged."))
    else:
        for chunk in _chunks(completion, asked.body):
            yield _event(chunk)
        yield format_sse_event(data_str="[DONE]")


def _chunks(completion: CompletionOut, body: CompletionIn) -> Iterator[dict[str, Any]]:
    """The completion in pieces: the role, the text, then why it ended and what it rests on, and at last its usage."""
    with_usage = body.stream_options is not None and body.stream_options.include_usage
    whole = completion.model_dump(mode="json")
    head = {
        "id": whole["id"],
        "object": "chat.completion.chunk",
        "created": whole["created"],
        "model": whole["model"],
        **({"usage": None} if with_usage else {}),
    }
    (choice,) = completion.choices
    yield {**head, "choices": [_delta({"role": "assistant", "content": ""})]}
    for piece in pieces(choice.message.content):
        yield {**head, "choices": [_delta({"content": piece})]}
    extra = {name: whole[name] for name in ("citations", "closest", "answer_id", "answered", "kind", "confidence")}
    yield {
        **head,
        "choices": [_delta({name: extra[name] for name in ("citations", "closest")}, choice.finish_reason)],
        **extra,
    }
    if with_usage:
        yield {**head, "choices": [], "usage": whole["usage"]}


def _delta(delta: Mapping[str, Any], reason: FinishReason | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}


def _event(data: Mapping[str, Any]) -> bytes:
    return format_sse_event(data_str=json.dumps(data, ensure_ascii=False))
