"""Serves conversations, and takes feedback, for programs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from qa.journal.records import Feedback
from web.api.schemas import ConversationOut, FeedbackIn, FeedbackOut
from web.middleware import problems
from web.routing.facts import PrincipalDep, declare
from web.services import ServicesDep

router = APIRouter(prefix="/api/v1", tags=["conversations"])

Id = Annotated[str, Path(max_length=100)]


@router.post("/feedback", responses=problems.NO_ANSWER)
@declare("feedback", errors="problem")
def give_feedback(body: FeedbackIn, services: ServicesDep, principal: PrincipalDep) -> FeedbackOut:
    """Say whether an answer helped; said again, it replaces what was said before."""
    feedback = Feedback(body.helpful, body.reason, body.comment)
    services.conversations.give_feedback(body.answer_id, feedback, principal.id)
    return FeedbackOut(answer_id=body.answer_id, helpful=body.helpful, reason=body.reason, comment=body.comment)


@router.get("/conversations/{conversation_id}")
@declare("ask", errors="problem")
def conversation(conversation_id: Id, services: ServicesDep, principal: PrincipalDep) -> ConversationOut:
    """A conversation with all that is kept of it, oldest answer first."""
    return ConversationOut.of(
        conversation_id, services.conversations.records(conversation_id, principal.id, principal.viewer)
    )


@router.delete("/conversations/{conversation_id}", status_code=204)
@declare("ask", errors="problem")
def delete(conversation_id: Id, services: ServicesDep, principal: PrincipalDep) -> None:
    """Delete a conversation, its answers and the feedback on them for good."""
    services.conversations.delete(conversation_id, principal.id)
