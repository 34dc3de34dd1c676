"""Do the settings for Slack fit together?"""

from __future__ import annotations

import re
from collections.abc import Sequence

from web.settings import Settings


def configured(settings: Settings) -> bool:
    """Whether anything was set up for Slack."""
    return bool(settings.slack_signing_secret.get_secret_value() or settings.slack_bot_token.get_secret_value())


def misfits(settings: Settings) -> Sequence[str]:
    """What does not fit together in the settings for Slack, each with what to do."""
    problems = []
    secret, token = settings.slack_signing_secret.get_secret_value(), settings.slack_bot_token.get_secret_value()
    if not re.fullmatch(r"[0-9A-Za-z]{16,}", secret):
        problems.append(
            "FOOTNOTE_SLACK_SIGNING_SECRET is not set or no signing secret: copy it from the app's page, "
            "Basic Information › App Credentials."
        )
    if not re.fullmatch(r"xoxb-[0-9A-Za-z-]+", token):
        problems.append(
            "FOOTNOTE_SLACK_BOT_TOKEN is not set or no bot token (xoxb-…): install the app, and copy it from "
            "OAuth & Permissions."
        )
    if not settings.public_url:
        problems.append(
            "FOOTNOTE_PUBLIC_URL is not set: Slack needs it for the links of footnotes. Set the address at which "
            "people open these pages."
        )
    return problems
