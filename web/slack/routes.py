"""Receives slash commands, events and button presses from Slack, and acknowledges them at once."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from web.errors import WebError
from web.routing.facts import declare
from web.slack.payloads import field

if TYPE_CHECKING:
    from web.slack.service import Slack
else:
    Slack = Any  # FastAPI reads annotations at run time, but slack_sdk is loaded only where Slack is set up

log = logging.getLogger(__name__)

Payload = TypeVar("Payload")
Reply = TypeVar("Reply")

router = APIRouter(prefix="/slack", include_in_schema=False)

# Slack signs what it sends, and waits three seconds for its requests to be acknowledged; what they ask for takes a turn
# later. All of a workspace comes from its few addresses.
_declared = declare(cost="constant", errors="problem", credentials="ignored")

_OFF = "Slack is not set up here: docs/slack.md says how (FOOTNOTE_SLACK_SIGNING_SECRET, FOOTNOTE_SLACK_BOT_TOKEN)."
_UNSIGNED = "This request was not signed by Slack for this app within the last five minutes."
_OTHER_TEAM = "This workspace may not ask here."
_MALFORMED = "This is not what Slack sends."
_MOST_FIELDS = 100  # in a form; Slack sends about 15


# Every route is `async def`: an acknowledgement, due within three seconds, never waits for a thread.
async def _slack(request: Request) -> Slack:
    slack: Slack | None = request.app.state.slack
    if slack is None:
        raise HTTPException(404, _OFF)
    return slack


async def _body(request: Request, slack: Annotated[Slack, Depends(_slack)]) -> bytes:
    """The raw body, which Slack signed. Answers 401 to everybody else."""
    body = await request.body()
    try:
        slack.signatures.check(body, request.headers)
    except WebError as error:
        log.info("A request to %s was refused: %s", request.url.path, error)
        raise HTTPException(401, _UNSIGNED) from error
    return body


SlackDep = Annotated[Slack, Depends(_slack)]
Body = Annotated[bytes, Depends(_body)]


@router.get("/commands")
@_declared
async def certificate_check(slack: SlackDep) -> Response:
    """Slack checks the certificate now and then with `?ssl_check=1`, and expects an empty reply."""
    return Response()


@router.post("/commands")
@_declared
async def command(slack: SlackDep, body: Body) -> Response:
    """`/ask …`"""
    form = _form(body)
    if form.get("ssl_check"):
        return Response()
    if not _may_ask(slack, form.get("team_id", "")):
        return JSONResponse({"response_type": "ephemeral", "text": _OTHER_TEAM})
    reply = _handle(slack.commands.receive, form)
    return JSONResponse(reply) if reply else Response()


@router.post("/events")
@_declared
async def event(slack: SlackDep, body: Body) -> Response:
    """A mention or a direct message. The first event ever sent wants its `challenge` back."""
    payload = _json(body)
    if field(payload, "type") == "url_verification":
        return JSONResponse({"challenge": field(payload, "challenge")})
    if field(payload, "type") == "event_callback" and _may_ask(slack, field(payload, "team_id")):
        _handle(slack.events.receive, payload)
    return Response()


@router.post("/interactions")
@_declared
async def interaction(slack: SlackDep, body: Body) -> Response:
    """A press of a button."""
    payload = _json(_form(body).get("payload", "").encode("utf-8", "replace"))
    if _may_ask(slack, field(payload, "team", "id")):
        _handle(slack.interactions.receive, payload)
    return Response()


def _may_ask(slack: Slack, team: str) -> bool:
    """Whether this workspace may ask. Others are acknowledged too: Slack disables an app whose events often fail."""
    return not slack.team or team == slack.team


def _handle(receive: Callable[[Payload], Reply], payload: Payload) -> Reply:
    """The reply of `receive`. Answers 400 to a payload that it refuses."""
    try:
        return receive(payload)
    except WebError as error:
        log.warning("%s", error)
        raise HTTPException(400, _MALFORMED) from error


def _form(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, errors="replace", max_num_fields=_MOST_FIELDS))
    except ValueError as error:
        raise HTTPException(400, _MALFORMED) from error


def _json(body: bytes) -> dict[str, Any]:
    try:
        payload = json.loads(body)
    except ValueError as error:
        raise HTTPException(400, _MALFORMED) from error
    if not isinstance(payload, dict):
        raise HTTPException(400, _MALFORMED)
    return payload
