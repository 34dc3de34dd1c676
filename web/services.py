"""What the routes work with, built once by the composition root."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from qa.answering import Answerer
from qa.catalogue import Catalogue
from qa.conversations import Conversations
from qa.corpus import CorpusStore
from qa.insights.ranking_inspector import Inspector
from qa.insights.usage import Insights
from qa.journal.article_views import Views
from qa.journal.sqlite.journal import SqliteJournal
from qa.links import Links
from web.access.rules import AccessRules
from web.observing.metrics import Metrics
from web.serving.draining import Drain
from web.shared_state import Shared


@dataclass(frozen=True, slots=True)
class Services:
    """`degraded`: parts that are unavailable for as long as this process lives."""

    store: CorpusStore
    answerer: Answerer
    conversations: Conversations
    links: Links
    catalogue: Catalogue
    journal: SqliteJournal
    views: Views
    insights: Insights
    inspector: Inspector
    access_rules: AccessRules
    degraded: tuple[str, ...]
    drain: Drain
    shared: Shared
    figures: Metrics


# Not a plain `def`: that would cost every request a change of threads.
async def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(_services)]
