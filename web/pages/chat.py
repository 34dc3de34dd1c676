"""Serves the chat: the empty page, conversations, single answers and the feedback form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from pydantic import ValidationError

from indexes.types import Filter
from qa.conversations import UNKEPT
from qa.corpus import Corpus
from qa.errors import JournalUnavailable, UnknownConversation, UnknownTag
from qa.journal.records import AnswerRecord, Feedback
from qa.types import LONGEST_QUESTION, Question
from web import templating
from web.access.principals import Principal
from web.api.schemas import AskIn, Text
from web.pages import conversation_markdown
from web.rendering import answer_view
from web.rendering.answer_view import MISSING_TOPIC, REASONS, AnswerView
from web.routing.facts import PrincipalDep, declare
from web.services import Services, ServicesDep

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

_TOP_TAGS = 12
_MOST_VIEWS = 10  # newest answers of a conversation on its page; the export has all of them
_MARKDOWN = "text/markdown; charset=utf-8"
_EXAMPLES = (  # each is shown only where the article that answers it exists
    ("api-idempotency-safe-retries-for-mutations", "Which HTTP methods are idempotent?"),
    ("jwt-authentication-implementation-and-security-patterns", "Which claims of a JWT must be checked?"),
    ("sql-query-optimisation-indexes-execution-plans-and-n-plus-1", "How do I find and fix an N+1 query?"),
    (
        "resilience-patterns-circuit-breaker-retry-bulkhead-and-timeout",
        "What should a circuit breaker do when a dependency is slow?",
    ),
)


@dataclass(frozen=True, slots=True)
class QuestionForm:
    """The form as the viewer filled it in, with the error to show."""

    question: str = ""
    tags: tuple[str, ...] = ()
    conversation_id: str = ""
    error: str = ""


@router.get("/")
@declare("read")
def chat(
    services: ServicesDep, principal: PrincipalDep, q: str = "", tags: Annotated[list[str], Query()] = []
) -> Response:
    """The empty chat; `q` fills in the question, `tags` preselects tags."""
    return _chat(services, principal, QuestionForm(q[:LONGEST_QUESTION], tuple(tags)))


@router.post("/")
@declare("ask", cost="answers")
def ask(
    services: ServicesDep,
    principal: PrincipalDep,
    question: Annotated[str, Form()] = "",
    conversation_id: Annotated[str, Form()] = "",
    tags: Annotated[list[str], Form()] = [],
) -> Response:
    """Redirects to the conversation with the answer, or shows the form again with the error."""
    question = question.replace("\r\n", "\n")  # forms send a line break as two characters; the limit counts one
    draft = QuestionForm(question, tuple(tags), conversation_id)
    filter = Filter(tuple(tags))
    try:
        asked = AskIn(question=question, tags=tags, conversation_id=conversation_id or None)
        filter = Filter(tuple(asked.tags))
        exchange = services.conversations.ask(
            Question(asked.question, filter, viewer=principal.viewer), asked.conversation_id, principal.id
        )
    except ValidationError as error:
        return _chat(services, principal, replace(draft, error=_message(error)), status=422)
    except UnknownTag as error:
        known = tuple(tag for tag in tags if tag != error.tag)
        return _chat(services, principal, replace(draft, tags=known, error=templating.no_tag(error)), status=422)
    except UnknownConversation:
        gone = "This conversation is no longer there. Ask again to start a new one."
        return _chat(services, principal, replace(draft, conversation_id="", error=gone), status=404)
    if UNKEPT not in exchange.answer.degraded:
        # Redirected, so that reloading the page or returning to it does not ask again.
        return RedirectResponse(f"/conversations/{exchange.conversation_id}#a-{exchange.answer.answer_id}", 303)
    view = answer_view.new_view(exchange, filter, 1, services.store.seen_by(principal.viewer), services.links)
    return _chat(services, principal, QuestionForm(tags=draft.tags, conversation_id=conversation_id), [view])


# Declared before `conversation`, whose path would match too.
@router.get("/conversations/{conversation_id}.md")
@declare("ask")
def conversation_as_markdown(
    services: ServicesDep, principal: PrincipalDep, request: Request, conversation_id: str
) -> Response:
    """A conversation as Markdown, for download."""
    return _markdown(
        services, principal, request, services.conversations.records(conversation_id, principal.id, principal.viewer)
    )


@router.get("/conversations/{conversation_id}")
@declare("ask")
def conversation(services: ServicesDep, principal: PrincipalDep, conversation_id: str) -> Response:
    """A conversation and a form to continue it."""
    records = services.conversations.records(conversation_id, principal.id, principal.viewer)
    views = _views(services, principal, records)[-_MOST_VIEWS:]
    return _chat(
        services, principal, QuestionForm(tags=records[-1].filter.tags, conversation_id=conversation_id), views
    )


@router.post("/conversations/{conversation_id}/delete")
@declare("ask")
def delete(services: ServicesDep, principal: PrincipalDep, conversation_id: str) -> Response:
    """Deletes a conversation and redirects to an empty chat."""
    services.conversations.delete(conversation_id, principal.id)
    return RedirectResponse("/", 303)


@router.get("/answers/{answer_id}.md")
@declare("read")
def answer_as_markdown(services: ServicesDep, principal: PrincipalDep, request: Request, answer_id: str) -> Response:
    """An answer with its sources as Markdown, for copying."""
    return _markdown(services, principal, request, [services.conversations.answer(answer_id, principal.viewer)])


@router.get("/answers/{answer_id}")
@declare("read")
def answer(services: ServicesDep, principal: PrincipalDep, answer_id: str) -> Response:
    """One answer for sharing; nothing of its conversation is shown."""
    record = services.conversations.answer(answer_id, principal.viewer)
    (view,) = _views(services, principal, [replace(record, conversation_id="")])
    return templating.page(
        "answer.html",
        services.store.seen_by(principal.viewer),
        principal,
        nav="ask",
        view=replace(view, asked_by_viewer=record.owner == principal.id),
        asked=record.asked,
        reasons=REASONS,
        missing_topic=MISSING_TOPIC,
    )


@router.post("/answers/{answer_id}/feedback")
@declare("feedback")
def give_feedback(
    services: ServicesDep,
    principal: PrincipalDep,
    request: Request,
    answer_id: str,
    helpful: Annotated[bool, Form()],
    reason: Annotated[Text, Form(max_length=200)] = "",
    comment: Annotated[Text, Form(max_length=4_000)] = "",
) -> Response:
    """Records feedback; replies with elements to show in place of the form, or redirects to the answer."""
    feedback = Feedback(helpful, reason, comment.replace("\r\n", "\n"))
    services.conversations.give_feedback(answer_id, feedback, principal.id)
    if "application/json" in request.headers.get("accept", ""):
        kind = services.conversations.answer(answer_id, principal.viewer).answer.kind
        return JSONResponse(answer_view.feedback_tree(answer_id, kind, feedback))
    return RedirectResponse(f"/answers/{answer_id}#feedback-{answer_id}", 303)


def _markdown(services: Services, principal: Principal, request: Request, records: Sequence[AnswerRecord]) -> Response:
    answers = [view.answer for view in _views(services, principal, records)]
    return PlainTextResponse(conversation_markdown.markdown(answers, str(request.base_url)), media_type=_MARKDOWN)


def _views(services: Services, principal: Principal, records: Sequence[AnswerRecord]) -> list[AnswerView]:
    return answer_view.recorded_views(records, services.store.seen_by(principal.viewer), services.links)


def _chat(
    services: Services, principal: Principal, draft: QuestionForm, views: Sequence[AnswerView] = (), status: int = 200
) -> Response:
    corpus = services.store.seen_by(principal.viewer)
    table = corpus.articles
    counts = table.tag_counts()[:_TOP_TAGS]
    tags = [tag for tag, _ in counts]
    newest = table.listing(sort="newest", limit=1).articles
    return templating.page(
        "chat.html",
        corpus,
        principal,
        status,
        nav="ask",
        draft=draft,
        views=views or _earlier_views(services, principal, draft),
        most=LONGEST_QUESTION,
        category=templating.category(corpus),
        newest=newest[0].updated if newest else None,
        examples=_examples(corpus),
        top_tags=counts,
        reasons=REASONS,
        missing_topic=MISSING_TOPIC,
        tags=[*tags, *(tag for tag in draft.tags if tag not in tags)],
    )


def _earlier_views(services: Services, principal: Principal, draft: QuestionForm) -> list[AnswerView]:
    """The conversation that a rejected question belongs to; [] if it is new or cannot be read."""
    if not draft.conversation_id:
        return []
    try:
        records = services.conversations.records(draft.conversation_id, principal.id, principal.viewer)
    except (UnknownConversation, JournalUnavailable):
        return []
    return _views(services, principal, records)[-_MOST_VIEWS:]


def _examples(corpus: Corpus) -> list[str]:
    """Questions that this knowledge base can answer, bundled or made from its titles."""
    answerable = [question for id, question in _EXAMPLES if corpus.articles.article(id) is not None]
    titles = [article.title for article in corpus.articles.listing(limit=len(_EXAMPLES)).articles]
    return answerable or [f"What should I know about {title}?" for title in titles]


def _message(error: ValidationError) -> str:
    first = error.errors()[0]
    if first["loc"][0] != "question":
        return f"The form was not complete ({first['loc'][0]}): please ask again."
    match first["type"]:
        case "string_too_short":
            return "Please type a question first."
        case "string_too_long":
            return f"This question is too long: please keep it under {LONGEST_QUESTION:,} characters."
    return "This question holds characters that cannot be read: please remove them."
