"""Whether it lives, whether it is ready, and what it serves."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from web.access.principals import Keeping, Reading
from web.api.schemas import HealthOut, StatusOut
from web.services import Use

router = APIRouter(tags=["health"])


@router.get("/livez")
def livez() -> HealthOut:
    """The process answers."""
    return HealthOut(status="ok")


@router.get("/readyz")
def readyz(use: Use) -> HealthOut:
    """A whole snapshot is open. `detail` says if it is not the current one, and why."""
    use.store.current()
    return HealthOut(status="ok", detail=use.store.problem or "")


@router.get("/api/v1/status")
def status(use: Use, principal: Reading) -> StatusOut:
    """The snapshot being served, and parts that are unavailable."""
    manifest = use.store.seen_by(principal.reader).manifest
    return StatusOut(
        generation=manifest.generation,
        built=manifest.created,
        articles=manifest.articles,
        chunks=manifest.chunks,
        embedding_model=manifest.embedder,
        degraded=[*use.degraded, *(["snapshot"] if use.store.problem else [])],
        problem=use.store.problem,
    )


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(use: Use, principal: Keeping) -> PlainTextResponse:
    """Figures for Prometheus, in its text format; docs/operations.md says what they mean."""
    return PlainTextResponse(use.figures.text(), media_type=CONTENT_TYPE_PLAIN_0_0_4)
