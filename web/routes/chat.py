"""What does the asker see: an empty chat, an answer with its sources, or what was wrong with the question?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, Response
from pydantic import ValidationError

from indexes.snapshot import Snapshot
from indexes.types import Filter
from qa.errors import UnknownConversation, UnknownTag
from qa.types import LONGEST_QUESTION, REFUSAL, Answer, Citation, Question, Turn
from web import answers, pages
from web.schemas import AskIn
from web.services import Services, Use

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

_TOP_TAGS = 12
_EARLIER = 5  # exchanges of a conversation shown above a new answer
_EXCERPT = 220  # characters of a quotation in the list of sources
_DEGRADED = {
    "vectors": "Search by meaning is unavailable, so this rests on matching words alone.",
    "llm": "The language model is unavailable, so the answer is quoted instead of written.",
}
_EXAMPLES = (  # asked of the bundled knowledge base; shown only where the article that answers is there
    ("api-idempotency-safe-retries-for-mutations", "Which HTTP methods are idempotent?"),
    ("jwt-authentication-implementation-and-security-patterns", "How long should an access token live?"),
    ("sql-query-optimisation-indexes-execution-plans-and-n-plus-1", "How do I find and fix an N+1 query?"),
    (
        "resilience-patterns-circuit-breaker-retry-bulkhead-and-timeout",
        "How do I stop one slow dependency from taking everything down?",
    ),
)


@dataclass(frozen=True, slots=True)
class Draft:
    """What the asker has typed, and what was wrong with it."""

    question: str = ""
    tags: tuple[str, ...] = ()
    conversation_id: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Earlier:
    question: str
    html: str


@router.get("/")
def chat(use: Use, q: str = "", tags: Annotated[list[str], Query()] = []) -> Response:
    """The empty chat; `q` fills in the question, `tags` chooses tags."""
    return _chat(use, Draft(_typed(q), tuple(tags)))


@router.post("/")
def ask(
    use: Use,
    question: Annotated[str, Form()] = "",
    conversation_id: Annotated[str, Form()] = "",
    tags: Annotated[list[str], Form()] = [],
) -> Response:
    """The chat with an answer, or with what was wrong and the question as it was typed."""
    question = question.replace("\r\n", "\n")  # forms send line breaks as two characters, the limit counts one
    draft = Draft(question, tuple(tags), conversation_id)
    try:
        asked = AskIn(question=question, tags=tags, conversation_id=conversation_id or None)
        turns = use.conversations.turns(conversation_id) if conversation_id else ()
        exchange = use.conversations.ask(Question(asked.question, Filter(tuple(asked.tags))), asked.conversation_id)
    except ValidationError as error:
        return _chat(use, replace(draft, error=_wrong_with(error)), status=422)
    except UnknownTag as error:
        known = tuple(tag for tag in tags if tag != error.tag)
        return _chat(use, replace(draft, tags=known, error=pages.no_tag(error)), status=422)
    except UnknownConversation:
        gone = "This conversation is no longer there. Ask again to start a new one."
        return _chat(use, replace(draft, conversation_id="", error=gone), status=404)
    next_draft = Draft(tags=draft.tags, conversation_id=exchange.conversation_id)
    return _chat(use, next_draft, _earlier(turns), exchange.answer)


def _chat(
    use: Services, draft: Draft, earlier: Sequence[Earlier] = (), answer: Answer | None = None, status: int = 200
) -> Response:
    snapshot = use.store.current()
    table = snapshot.articles
    tags = [tag for tag, _ in table.tag_counts()[:_TOP_TAGS]]
    newest = table.listing(sort="newest", limit=1).articles
    return pages.page(
        "chat.html", snapshot, status, nav="ask", draft=draft, earlier=earlier, most=LONGEST_QUESTION,
        category=pages.category(snapshot), newest=newest[0].updated if newest else None, examples=_examples(snapshot),
        tags=[*tags, *(tag for tag in draft.tags if tag not in tags)], answer=answer, **_answered(answer),
    )  # fmt: skip


def _answered(answer: Answer | None) -> dict[str, Any]:
    if answer is None:
        return {}
    return {
        "html": answers.answer(answer),
        "refusal": REFUSAL,
        "confidence": _confidence(answer.confidence),
        "sources": [_source(citation) for citation in answer.citations],
        "degraded": [_DEGRADED.get(part, f"Unavailable: {part}.") for part in answer.degraded],
    }


def _confidence(confidence: float) -> str:
    if confidence >= 0.8:
        return "Well supported"
    return "Partly supported — check the sources" if confidence >= 0.5 else "Weakly supported — check the sources"


def _source(citation: Citation) -> dict[str, object]:
    excerpt = answers.plain(citation.quote, _EXCERPT)
    return {
        "n": citation.n,
        "url": citation.url,
        "title": citation.title,
        "heading": citation.heading,
        "quote": excerpt,
    }


def _earlier(turns: Sequence[Turn]) -> list[Earlier]:
    exchanges = list(zip(turns[::2], turns[1::2], strict=False))
    shown = enumerate(exchanges, start=1)
    return [
        Earlier(question.text, answers.earlier(answer.text, f"Earlier answer {number}, "))
        for number, (question, answer) in shown
    ][-_EARLIER:]


def _examples(snapshot: Snapshot) -> list[str]:
    """Questions that this knowledge base can answer."""
    known = [question for id, question in _EXAMPLES if snapshot.articles.article(id) is not None]
    titles = [article.title for article in snapshot.articles.listing(limit=len(_EXAMPLES)).articles]
    return known or [f"What should I know about {title}?" for title in titles]


def _typed(text: str) -> str:
    return text[:LONGEST_QUESTION]


def _wrong_with(error: ValidationError) -> str:
    first = error.errors()[0]
    if first["loc"][0] != "question":
        return f"The form was not complete ({first['loc'][0]}): please ask again."
    match first["type"]:
        case "string_too_short":
            return "Please type a question first."
        case "string_too_long":
            return f"This question is too long: please keep it under {LONGEST_QUESTION:,} characters."
    return "This question holds characters that cannot be read: please remove them."
