"""Wires the parts that answer Slack."""

from __future__ import annotations

from dataclasses import dataclass

import httpx2
from slack_sdk.web import WebClient

from indexes.types import Viewer
from web.admission import WorkSlots
from web.services import Services
from web.settings import Settings
from web.slack.answering import Answering
from web.slack.commands import SlashCommands
from web.slack.events import REMEMBERED, Events
from web.slack.interactions import ONCE, Interactions
from web.slack.recent import Recent
from web.slack.sending import Channels, ResponseUrls, http_client, web_client
from web.slack.signing import GOOD_FOR, Signatures
from web.slack.worker import JobWorker

_OWNER = "slack"  # of all conversations in Slack


@dataclass(frozen=True, slots=True)
class Slack:
    """The parts that the routes use. `team`: the one workspace that may ask, "" for every one with the app."""

    team: str
    signatures: Signatures
    worker: JobWorker
    commands: SlashCommands
    events: Events
    interactions: Interactions


def slack_from(settings: Settings, services: Services, slots: WorkSlots) -> Slack:
    """Slack as the settings say."""
    token, proxy = settings.slack_bot_token.get_secret_value(), settings.slack_proxy
    return build(settings, services, slots, web_client(token, proxy=proxy), http_client(proxy))


def build(settings: Settings, services: Services, slots: WorkSlots, api: WebClient, http: httpx2.Client) -> Slack:
    """Slack answering through these two clients."""
    secret = settings.slack_signing_secret.get_secret_value()
    viewer = Viewer(groups=frozenset(settings.slack_groups.split()))
    answering = Answering(services.store, services.answerer, services.conversations, services.links, viewer, _OWNER)
    worker = JobWorker(slots, services.drain)
    response_urls = ResponseUrls(http)
    return Slack(
        settings.slack_team,
        Signatures(secret, Recent("signatures", GOOD_FOR, services.shared)),
        worker,
        SlashCommands(answering, worker, response_urls),
        Events(answering, worker, Channels(api), Recent("events", REMEMBERED, services.shared), secret),
        Interactions(answering, worker, response_urls, Recent("presses", ONCE, services.shared)),
    )
