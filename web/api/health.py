"""Serves liveness, readiness, status and metrics."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from pydantic import BaseModel

from web.routing.facts import PrincipalDep, declare
from web.services import ServicesDep


class StatusOut(BaseModel):
    generation: str
    built: str
    articles: int
    chunks: int
    embedding_model: str
    degraded: list[str]
    problem: str | None


class HealthOut(BaseModel):
    status: Literal["ok", "unavailable"]
    detail: str = ""


router = APIRouter(tags=["health"])


@router.get("/livez")
@declare(cost="constant", errors="problem", credentials="ignored")
def livez() -> HealthOut:
    """The process answers."""
    return HealthOut(status="ok")


@router.get("/readyz")
@declare(cost="constant", errors="problem", credentials="ignored")
def readyz(services: ServicesDep) -> HealthOut:
    """A whole snapshot is open. `detail` says if it is not the current one, and why."""
    services.store.current()
    return HealthOut(status="ok", detail=services.store.problem or "")


@router.get("/api/v1/status")
@declare("read", errors="problem")
def status(services: ServicesDep, principal: PrincipalDep) -> StatusOut:
    """The snapshot being served, and parts that are unavailable."""
    corpus = services.store.seen_by(principal.viewer)
    return StatusOut(
        generation=corpus.generation,
        built=corpus.created,
        articles=corpus.article_count,
        chunks=corpus.chunk_count,
        embedding_model=corpus.embedder,
        degraded=[*services.degraded, *(["snapshot"] if services.store.problem else [])],
        problem=services.store.problem,
    )


@router.get("/metrics", response_class=PlainTextResponse)
@declare("admin", cost="constant", errors="problem")
def metrics(services: ServicesDep, principal: PrincipalDep) -> PlainTextResponse:
    """Figures for Prometheus, in its text format; docs/operations.md says what they mean."""
    return PlainTextResponse(services.figures.text(), media_type=CONTENT_TYPE_PLAIN_0_0_4)
