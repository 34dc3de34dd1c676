"""Asking and searching."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from indexes.types import Filter, TagMode
from qa.types import Question, Turn
from web.schemas import AnswerOut, AskIn, Page, PassageOut, QuestionText, TagName
from web.services import Use

router = APIRouter(prefix="/api/v1", tags=["ask"])


# Plain `def`: searching is CPU work, so it belongs on the thread pool and never on the event loop.
@router.post("/ask")
def ask(body: AskIn, use: Use) -> AnswerOut:
    """Answer a question from the knowledge base, every sentence cited, or say that it has no answer."""
    history = tuple(Turn(turn.role, turn.text) for turn in body.history)
    question = Question(body.question, Filter(tuple(body.tags), body.tag_mode), history, body.limit)
    return AnswerOut.of(use.conversations.ask(question, body.conversation_id), use.links)


@router.get("/search")
def search(
    use: Use,
    q: Annotated[QuestionText, Query(description="what to search for")],
    tag: Annotated[list[TagName], Query(max_length=50)] = [],
    tag_mode: TagMode = "any",
    limit: Annotated[int, Query(ge=1, le=50)] = 8,
) -> Page[PassageOut]:
    """Passages, best first, without an answer."""
    passages = use.answerer.search(q, Filter(tuple(tag), tag_mode), limit).passages
    items = [PassageOut.of(passage, use.links) for passage in passages]
    return Page(items=items, total=len(items))
