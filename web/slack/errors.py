"""Errors of the Slack integration.

SlackError
├── NotFromSlack   a request without a recent signature by this app's secret
├── NotSlack       a response_url that is not Slack's
├── Undelivered    Slack did not accept a message
├── Declined       the request cannot be fulfilled; the message is for the asker
└── Unconfigured   the settings for Slack are inconsistent
"""

from web.errors import WebError


class SlackError(WebError):
    """Base of the errors of the Slack integration. No message contains a secret or a question."""


class NotFromSlack(SlackError):
    pass


class NotSlack(SlackError):
    pass


class Undelivered(SlackError):
    pass


class Declined(SlackError):
    pass


class Unconfigured(SlackError):
    pass
