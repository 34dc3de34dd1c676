"""Serves the insights pages: usage figures, content gaps and the ranking inspector."""

from __future__ import annotations

import csv
import io
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, Response

from qa.corpus import Corpus
from qa.insights.content_gaps import Gap
from qa.types import LONGEST_QUESTION
from web import templating
from web.pages import charts
from web.routing.facts import PrincipalDep, declare
from web.services import Services, ServicesDep

router = APIRouter(prefix="/insights", include_in_schema=False, default_response_class=HTMLResponse)

_PERIODS = (7, 30, 90)  # days
_FIRST, _GAPS, _QUESTIONS, _ARTICLES, _INGESTS = 12, 60, 8, 20, 20  # rows shown
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

Days = Annotated[int, Query(ge=1, le=366)]


@router.get("")
@declare("admin")
def insights(services: ServicesDep, principal: PrincipalDep, days: Days = 30) -> Response:
    """Figures, content gaps, articles by use, overlaps, and past ingests."""
    corpus = services.store.seen_by(principal.viewer)
    records = services.insights.asked(days, principal.viewer, services.store.current())
    figures = services.insights.figures(records, days)
    gaps = services.insights.gaps(records)
    return templating.page(
        "insights.html",
        corpus,
        principal,
        nav="insights",
        days=days,
        periods=_PERIODS,
        figures=figures,
        questions_chart=charts.questions(figures.days),
        latency_chart=charts.latency(figures.days),
        gaps=[_gap_row(services, corpus, gap) for gap in gaps[:_GAPS]],
        first=_FIRST,
        more_gaps=max(0, len(gaps) - _GAPS),
        unanswered=figures.closest + figures.refused,
        by_meaning=not services.degraded,
        shown=_ARTICLES,
        articles=services.insights.articles(corpus, records, days),
        alike=services.insights.similar_pairs(corpus)[:_ARTICLES],
        ingests=[ingest.seen_by(principal.viewer) for ingest in services.store.past_ingests(_INGESTS)],
        links=services.links,
    )


@router.get("/gaps.csv")
@declare("admin")
def export(services: ServicesDep, principal: PrincipalDep, days: Days = 30) -> Response:
    """Every unanswered question with its topic, as CSV."""
    corpus = services.store.seen_by(principal.viewer)
    file = io.StringIO()
    rows = csv.writer(file)
    rows.writerow(["topic", "question", "times asked", "last asked (UTC)", "nearest article", "kind"])
    for gap in services.insights.gaps(services.insights.asked(days, principal.viewer, services.store.current())):
        for question in gap.questions:
            last_asked = f"{question.last:%Y-%m-%d %H:%M}"
            nearest = _title(corpus, question.nearest)
            cells = [gap.label, question.text, str(question.times), last_asked, nearest, question.kind]
            rows.writerow([_without_formula(cell) for cell in cells])
    headers = {"content-disposition": f'attachment; filename="content-gaps-{days}-days.csv"'}
    return Response("\ufeff" + file.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/inspect")
@declare("admin", cost="answers")
def inspect(services: ServicesDep, principal: PrincipalDep, q: str = "") -> Response:
    """Where each passage ranks for one question, by keywords, by meaning and together."""
    text = q.replace("\0", "").strip()[:LONGEST_QUESTION]
    inspection = services.inspector.inspect(text, principal.viewer) if text else None
    return templating.page(
        "inspect.html",
        services.store.seen_by(principal.viewer),
        principal,
        nav="insights",
        q=text,
        inspection=inspection,
        links=services.links,
    )


def _gap_row(services: Services, corpus: Corpus, gap: Gap) -> dict[str, Any]:
    return {
        "label": gap.label,
        "times": gap.times,
        "closest": gap.questions[0].kind == "closest",
        "last": gap.last.date(),
        "questions": gap.questions[1 : _QUESTIONS + 1],
        "more": max(0, len(gap.questions) - 1 - _QUESTIONS),
        "nearest": _title(corpus, gap.nearest),
        "url": services.links.article(gap.nearest),
    }


def _title(corpus: Corpus, article_id: str) -> str:
    """The title of an article; "" if it is gone."""
    article = corpus.articles.article(article_id) if article_id else None
    return article.title if article else ""


def _without_formula(cell: str) -> str:
    """The cell, quoted if a spreadsheet would run it as a formula (OWASP, "CSV Injection")."""
    return f"'{cell}" if cell.lstrip().startswith(_FORMULA_STARTS) or cell.startswith(_FORMULA_STARTS) else cell
