"""Checks that the settings for Slack are complete."""

from __future__ import annotations

import re
from collections.abc import Sequence

from web.settings import Settings
from web.slack.errors import Unconfigured


def is_set_up(settings: Settings) -> bool:
    """Whether Slack is set up. Raises Unconfigured if only part of the settings are given."""
    if not (settings.slack_signing_secret.get_secret_value() or settings.slack_bot_token.get_secret_value()):
        return False
    if messages := problems(settings):
        raise Unconfigured(" ".join(messages))
    return True


def summary(settings: Settings) -> str:
    """One line on how Slack is set up. Raises Unconfigured."""
    if not is_set_up(settings):
        return "not set up"
    groups = ", ".join(settings.slack_groups.split())
    shown = f"articles for everyone and for {groups}" if groups else "articles for everyone"
    asks = f"workspace {settings.slack_team}" if settings.slack_team else "every workspace with the app"
    return f"shows {shown} to {asks}; footnotes lead to {settings.public_url}"


def problems(settings: Settings) -> Sequence[str]:
    """What is missing or invalid in the settings for Slack, each with what to do."""
    messages = []
    secret, token = settings.slack_signing_secret.get_secret_value(), settings.slack_bot_token.get_secret_value()
    if not re.fullmatch(r"[0-9A-Za-z]{16,}", secret):
        messages.append(
            "FOOTNOTE_SLACK_SIGNING_SECRET is not set or no signing secret: copy it from the app's page, "
            "Basic Information › App Credentials."
        )
    if not re.fullmatch(r"xoxb-[0-9A-Za-z-]+", token):
        messages.append(
            "FOOTNOTE_SLACK_BOT_TOKEN is not set or no bot token (xoxb-…): install the app, and copy it from "
            "OAuth & Permissions."
        )
    if not settings.public_url:
        messages.append(
            "FOOTNOTE_PUBLIC_URL is not set: Slack needs it for the links of footnotes. Set the address at which "
            "people open these pages."
        )
    return messages
